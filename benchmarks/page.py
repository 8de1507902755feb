# ruff: noqa: T201
"""docs/benchmarks.md and its chart from build/bench/results.json, as the last `make bench` left it:

python benchmarks/page.py
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "build" / "bench" / "results.json"
PAGE, CHART = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "pictures" / "benchmarks.svg"
Row = dict[str, Any]

TITLES = {
    "large": "Ten million respondents",
    "size": "Fifty million respondents",
    "many": "Thousands of organisations",
    "national": "National tables of thousands of organisations",
    "spark": "On Apache Spark",
    "sources": "From other sources",
    "counts": "Counts that travel",
    "reports": "Reports",
    "printers": "Other ways to a PDF",
    "editions": "Slides, workbooks and pages",
    "site": "A site of thousands of organisations",
    "disclosure": "What could be worked out",
    "audit": "Audits",
    "trends": "Trends",
}


def page(told: dict[str, Any]) -> str:
    """The page, in Markdown."""
    rows: list[Row] = told["rows"]
    parts = [
        "# Benchmarks",
        "Every figure is a ratio to a named peer or limit that was measured in the same run, on two cores of one machine: "
        "times differ from machine to machine, ratios much less. `make bench` makes them all again on yours, and "
        "`python benchmarks/page.py` this page from them. Tests never look at a time.",
        machine(told),
        "## A survey of 15,000 people and 40 questions",
        "Ours is the whole job: reading raw answers, checking every one, weights, scores and errors of questions and sections, "
        "and bands. Each peer starts from a table that is scored and weighted already, and gives means and standard errors of "
        "questions alone.",
        "![How many times as fast the whole job is as each peer's part of it](pictures/benchmarks.svg)",
        peers(rows),
        '"The same figures" is the largest relative difference over all means and standard errors, as the digits that agree. '
        "R's own seconds are without its start and without reading the table; memory is that of a process that does the job and nothing else.",
    ]
    for part, title in TITLES.items():
        own = [r for r in rows if r["part"] == part]
        if own:
            parts += [f"## {title}", table(own)]
    parts += ["## What peers can do", features(rows)]
    return "\n\n".join(p for p in parts if p) + "\n"


def machine(told: dict[str, Any]) -> str:
    """What the figures were found on."""
    names = dict(told["machine"])
    where = f"{names.pop('processor')}, {names.pop('cores')} cores, {names.pop('system')}, Python {names.pop('python')}"
    return f"Found on {told['date']}: {where}; " + ", ".join(f"{n} {v}" for n, v in names.items()) + "."


def peers(rows: Iterable[Row]) -> str:
    """The table of those who yield the same figures."""
    own = [r for r in rows if r["part"] == "survey"]
    lines = []
    for name in dict.fromkeys(r["against"] for r in own):
        mine = [r for r in own if r["against"] == name]
        digits = min((-math.log10(max(r["ratio"], 1e-16)) for r in mine if r["kind"] == "agree"), default=0.0)
        fast = {r["what"].partition(": ")[2]: r for r in mine if r["kind"] == "as fast"}
        memory = next(r for r in mine if r["kind"] == "as much")
        both, alone = fast["questions and sections"], fast["questions only"]
        lines.append(
            [
                name,
                f"{digits:.0f} digits",
                f"{both['ratio']:.3g}",
                f"{alone['ratio']:.3g}",
                f"at least {both['target']:g}: {both['said']}",
                f"{memory['ratio']:.2f}",
            ]
        )
    head = [
        "Peer",
        "The same figures",
        "Whole job: times as fast",
        "Questions alone: times as fast",
        "Target",
        "Memory: times as much",
    ]
    return markdown(head, lines)


def table(rows: Iterable[Row]) -> str:
    """A part's figures."""
    lines = []
    for r in rows:
        if r["kind"] in ("same", "told"):
            words = "the same bytes" if r["kind"] == "same" and r["said"] == "met" else r["said"]
            lines.append([r["what"], r["against"], words, ""])
            continue
        digits = ".3g" if r["unit"] == "s" else ".0f"
        shown = f"{r['ratio']:.2f} of it" if r["kind"] == "of the limit" else f"{r['ratio']:.3g} times {r['kind']}"
        least = "least" if r["kind"] == "as fast" else "most"
        target = "" if r["target"] is None else f"at {least} {r['target']:g}: {r['said']}"
        against = f"{r['against']} ({r['theirs']:{digits}} {r['unit']})"
        lines.append([f"{r['what']} ({r['ours']:{digits}} {r['unit']})", against, shown, target])
    return markdown(["What", "Against", "Ratio", "Target"], lines)


def features(rows: Iterable[Row]) -> str:
    """What each can do, and what was run to find out."""
    own = [r for r in rows if r["kind"] == "feature"]
    if not own:
        return ""
    names = list(dict.fromkeys(r["against"] for r in own))
    said = {(r["what"], r["against"]): r["said"] for r in own}
    wanted = list(dict.fromkeys(r["what"] for r in own))
    lines = [[feature, *(said.get((feature, name), "not tried") for name in names)] for feature in wanted]
    evidence = [[r["what"], r["against"], r["said"], f"`{r['evidence'].replace('|', chr(92) + '|')}`"] for r in own]
    return "\n\n".join(
        [
            "Each cell was found by running what stands below; one that had not come out true would be left out. Packages "
            'are as installed, without others that extend them, and "no" says that nothing is offered by such a name.',
            markdown(["", *names], lines),
            "### What was run",
            "`named` looks for the words among all that a package offers; `sample` and `d` are a survey of five people.",
            markdown(["Feature", "Package", "Verdict", "Evidence"], evidence),
        ]
    )


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def chart(rows: Iterable[Row]) -> str:
    """How many times as fast the whole job is as each peer, on a scale on which each step is tenfold."""
    own = [r for r in rows if r["part"] == "survey" and r["kind"] == "as fast" and "sections" in r["what"]]
    left, right, line = 300, 700, 26
    height = 60 + line * len(own)
    top = max(math.ceil(math.log10(max(r["ratio"] for r in own))), 1)

    def x(value: float) -> float:
        return left + (right - left) * math.log10(value) / top

    words = "; ".join(f"{r['against']}: {r['ratio']:.3g}" for r in own)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" role="img" font-family="Arial, sans-serif" font-size="13">',
        f"<title>How many times as fast the whole job is as each peer's part of it</title><desc>{escape(words)}</desc>",
        f'<rect width="760" height="{height}" fill="#fff"/>',
    ]
    for power in range(top + 1):
        at = x(10**power)
        out.append(f'<path d="M{at:.1f} 30V{height - 24}" stroke="#c9ced3"/>')
        out.append(f'<text x="{at:.1f}" y="{height - 8}" text-anchor="middle" fill="#425563">{10**power:,}</text>')
    out.append(
        '<text x="8" y="18" font-weight="bold" fill="#212b32">Times as fast, whole job against means and errors alone</text>'
    )
    for i, r in enumerate(own):
        y = 36 + i * line
        out.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end" fill="#212b32">{escape(r["against"])}</text>')
        out.append(f'<rect x="{left}" y="{y}" width="{max(x(r["ratio"]) - left, 1):.1f}" height="18" fill="#005eb8"/>')
        out.append(f'<text x="{x(r["ratio"]) + 6:.1f}" y="{y + 14}" fill="#212b32">{r["ratio"]:.3g}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def main() -> None:
    if not RESULTS.is_file():
        sys.exit(f"{RESULTS}: no such file; run make bench first.")
    told = json.loads(RESULTS.read_text("utf-8"))
    if told["quick"]:
        sys.exit("the last run was a quick one, whose targets are for more; run make bench first.")
    PAGE.write_text(page(told), "utf-8")
    CHART.write_text(chart(told["rows"]), "utf-8")
    print(f"{PAGE}\n{CHART}")


if __name__ == "__main__":
    main()
