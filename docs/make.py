"""Makes the parts of the documentation that come from the code: the reference, the simulation's table, the picture."""

# ruff: noqa: T201
from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from stocktake.codes import EXPECTED
from stocktake.definitions import DEEPEST, LARGEST_FILE, MOST_VALUES
from stocktake.disclosure.rules import Rules
from stocktake.organisations import LARGEST_LIST
from stocktake.reports.api import DOCUMENTS, Change, Score
from stocktake.results import Results
from stocktake.results.audit_schemas import AUDIT_SCHEMAS
from stocktake.results.schemas import SCHEMAS
from stocktake.results.store import read_results
from stocktake.results.trend_schemas import TREND_SCHEMAS
from stocktake.run.core import open_run
from stocktake.run.documents import national_contents
from stocktake.run.folder import demo_folder
from stocktake.run.quality import benchmark_folder
from stocktake.run.settings import SiteSettings
from stocktake.run.site import make_site
from stocktake.run.trend_site import make_trend_site
from stocktake.run.trends import make_trend_results
from stocktake.run.trends_demo import history_folder
from stocktake.survey.findings import CHECKS
from stocktake.survey.instrument import Method
from stocktake.survey.instrument_parts import MOST_OPTIONS
from stocktake.survey.opening import BLOCK, LARGEST_UNPACKED, MOST_CELLS
from stocktake.survey.simulate import targets

DOCS = Path(__file__).parent
# The tolerances of tests/survey/test_simulate.py, fixed before the first run.
AVERAGE, RANGE, BASE = 0.1, 0.5, 0.03


LIMITS = (
    (
        "a definition file",
        f"{LARGEST_FILE:,} bytes, {DEEPEST} levels, {MOST_VALUES:,} values with its aliases written out",
    ),
    ("a list of organisations", f"{LARGEST_LIST:,} bytes"),
    ("a workbook", f"{LARGEST_UNPACKED:,} bytes unpacked; {MOST_CELLS:,} cells up to a sheet's last row and column"),
    ("options of a question or characteristic", f"{MOST_OPTIONS:,}"),
    ("an option's code", "32 bits, but not -2147483648"),
    ("a code", EXPECTED),
    ("a row of a text file", f"{BLOCK:,} bytes"),
)


def reference() -> str:
    """Every results column, setting and check, from the schemas themselves."""
    out = ["# Reference", "", "Made by `make docs` from the schemas in the code.", "", "## Results", ""]
    out += ["`stocktake benchmark` writes each table to `results/` as Parquet and CSV.", ""]
    for title, tables in (("Of a survey", SCHEMAS), ("Of an audit", AUDIT_SCHEMAS), ("Of trends", TREND_SCHEMAS)):
        out += [f"### {title}", ""]
        for table, columns in tables.items():
            out += [f"#### {table}", "", "| Column | Type | Meaning |", "|---|---|---|"]
            out += [f"| `{name}` | {kind} | {text} |" for name, (kind, text) in columns.items()]
            out.append("")
    out += [
        "`manifest.json` holds the SHA-256 of every table, of every input by its role, and of the instrument, every setting, "
        "and versions. The folder is not for publication: see [disclosure control](disclosure.md).",
        "",
    ]
    out += ["## Settings", "", "In an instrument's `method`, or in `settings` of survey.yaml.", ""]
    out += ["| Setting | Default | Meaning |", "|---|---|---|"]
    for name, field in Method.model_fields.items():
        out.append(f"| `{name}` | {field.default} | {field.description or name.replace('_', ' ')} |")
    out += [
        "",
        "## Disclosure",
        "",
        "Under `disclosure` in survey.yaml.",
        "",
        "| Setting | Default | Meaning |",
        "|---|---|---|",
    ]
    out += [f"| `{name}` | {field.default} | {field.description} |" for name, field in Rules.model_fields.items()]
    out += ["", "## Web edition", "", "Under `site` in survey.yaml; all of it may be left out.", ""]
    out += ["| Setting | Meaning |", "|---|---|"]
    named = {**SiteSettings.model_fields}
    out += [f"| `{name}` | {field.description or name.replace('_', ' ')} |" for name, field in named.items()]
    out += ["", "Documents for programs, in `site/api/v1/`:", ""]
    for name, model in DOCUMENTS.items():
        path = {"index": "index.json", "organisation": "trusts/CODE.json", "measure": "measures/CODE.json"}[name]
        out += [f"`{path}` ({' '.join((model.__doc__ or '').split())})", "", "| Field | Meaning |", "|---|---|"]
        out += [f"| `{n}` | {f.description or n.replace('_', ' ')} |" for n, f in model.model_fields.items()]
        out.append("")
    out += ["A result in `scores`:", "", "| Field | Meaning |", "|---|---|"]
    for prefix, part in (("", Score), ("change.", Change)):
        out += [f"| `{prefix}{n}` | {f.description} |" for n, f in part.model_fields.items()]
    out += ["", "## Limits", "", "| What | Limit |", "|---|---|"]
    out += [f"| {what} | {limit} |" for what, limit in LIMITS]
    out += ["", "## Checks", "", "| Check | What it looks for | What is done |", "|---|---|---|"]
    out += [f"| {name} | {what} | {done} |" for name, (what, done) in CHECKS.items()]
    out += [
        "",
        "## Commands",
        "",
        "`stocktake --help` lists the commands, `stocktake COMMAND --help` their options.",
        "",
    ]
    out += ["| Exit status | Meaning |", "|---|---|", "| 0 | done |", "| 1 | findings in the data block |"]
    out += ["| 2 | an input cannot be used; one sentence for each reason on standard error |", ""]
    return "\n".join(out)


def simulation(results: Results) -> str:
    """Simulated against published figures, every miss marked."""
    every = pl.col("group") == "all"
    now = results.measures.filter(every & (pl.col("year") == 2024))
    bases = results.scores.filter(every & (pl.col("year") == 2024)).group_by("measure").agg(pl.col("n").sum())
    rows, missed = [], 0
    for question, target in targets("cmh_2024").items():
        row = now.filter(pl.col("measure") == question).row(0, named=True)
        base = int(bases.filter(pl.col("measure") == question)["n"][0]) / 14_619
        cells = []
        for ours, theirs, tolerance, places in (
            (row["centre"], target.average, AVERAGE, 2),
            (row["lowest"], target.lowest, RANGE, 1),
            (row["highest"], target.highest, RANGE, 1),
            (base, target.base_share, BASE, 3),
        ):
            miss = abs(ours - theirs) > tolerance
            missed += miss
            cells.append(f"{ours:.{places}f} ({theirs:g}){' **missed**' if miss else ''}")
        rows.append(f"| {question} | {' | '.join(cells)} | {target.source} |")
    work = results.fieldwork.filter(pl.col("year") == 2024)
    groups = []
    published = {"all": (14_619, 20), "AMHS": (10_754, 19), "CAMHS": (1_034, 17), "OPMHS": (2_640, 23)}
    for group, (completed, rate) in published.items():
        row = work.filter(pl.col("group") == group).row(0, named=True)
        found = 100 * row["national_response_rate"]
        miss = row["national_completed"] != completed or round(found) != rate
        missed += miss
        groups.append(
            f"| {group} | {row['national_completed']:,} ({completed:,}) | {found:.1f}% ({rate}%){' **missed**' if miss else ''} |"
        )
    return "\n".join(
        [
            "# The simulated survey against the published one",
            "",
            "Made by `make docs`. `stocktake demo` simulates the Community Mental Health Survey 2024 with 53 invented trusts, because",
            "respondents' data are not public. Each cell is simulated (published or assumed). Tolerances were fixed beforehand:",
            f"averages {AVERAGE}, lowest and highest {RANGE}, the share of respondents with a scored answer {BASE}, response rates to",
            "the whole per cent, numbers of respondents exact. The last column says what is known: `published` figures stand in a",
            "published report; of `base published` only the base does; `assumed` ones are guesses so that the survey is whole.",
            "Lowest and highest are those of 53 invented trusts drawn from one bell curve; where the published pair lies",
            "unevenly about the average, one of them misses.",
            "",
            f"Missed: {missed} of {4 * len(rows) + len(groups)}.",
            "",
            "| Question | Average | Lowest | Highest | Scored share | Known |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            "| Group | Respondents | Response rate |",
            "|---|---|---|",
            *groups,
            "",
            "Invited: 76,581 in all, the smallest sample 1,250, as published (that 1,250 is the least is inferred). 2023: 14,770",
            "respondents as published; its spread of invitations is assumed to be that of 2024.",
            "",
        ]
    )


def picture(folder: Path) -> None:
    """Three pages of one report below one another."""
    import pypdfium2
    from PIL import Image

    run = open_run(folder)
    path = run.report("Z01").write_pdf(folder / "picture.pdf")
    document = pypdfium2.PdfDocument(path)
    wanted = (
        "The result in five sentences",
        "Every question on one page",
        "What has changed since",
    )
    pages = []
    for needle in wanted:
        for page in document:
            if needle.strip() in page.get_textpage().get_text_range()[:400]:
                pages.append(page.render(scale=1.1).to_pil())
                break
    width, height = pages[0].size
    sheet = Image.new("RGB", (width, height * len(pages) + 20 * (len(pages) - 1)), "#9aa5ad")
    for i, image in enumerate(pages):
        sheet.paste(image, (0, i * (height + 20)))
    sheet.quantize(224, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        DOCS / "pictures" / "report.png", optimize=True
    )


def sheet(images: list[Any], columns: int, path: Path, width: int = 1100) -> None:
    """Pictures side by side, in so many columns, as one small PNG."""
    from PIL import Image

    each = (width - 12 * (columns - 1)) // columns
    scaled = [
        i.convert("RGB").resize((each, round(i.height * each / i.width)), Image.Resampling.LANCZOS) for i in images
    ]
    height = max(i.height for i in scaled)
    rows = -(-len(scaled) // columns)
    whole = Image.new("RGB", (width, rows * height + 12 * (rows - 1)), "#9aa5ad")
    for k, image in enumerate(scaled):
        whole.paste(image, ((k % columns) * (each + 12), (k // columns) * (height + 12)))
    whole.quantize(224, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)


def pages_of(pdf: Path, wanted: Sequence[int]) -> list[Any]:
    """Pages of a PDF as pictures, by number from 0."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    return [document[i].render(scale=1.3).to_pil() for i in wanted if i < len(document)]


def find(pdf: Path, *words: str) -> list[int]:
    """The first page that has each of the words."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    texts = [page.get_textpage().get_text_range() for page in document]
    return [next(i for i, t in enumerate(texts) if w in t and i > 3) for w in words]


def office(path: Path, folder: Path) -> Path:
    """A deck or workbook as LibreOffice shows it."""
    program = shutil.which("soffice")
    if program is None:
        raise SystemExit(
            "The pictures of decks and workbooks need LibreOffice: apt-get install libreoffice-impress libreoffice-calc"
        )
    command = [
        program,
        f"-env:UserInstallation=file://{folder}/profile",
        "--headless",
        "--convert-to",
        "pdf",
        "--outdir",
    ]
    subprocess.run([*command, str(folder), str(path)], check=True, capture_output=True)
    return folder / f"{path.stem}.pdf"


def pictures(folder: Path) -> None:
    """One picture of each edition beside the report's."""
    from PIL import Image

    run, out = open_run(folder), DOCS / "pictures"
    groups = run.report("Z01", "service-groups").write(folder / "groups.pdf")
    chosen = find(groups, "Every question on one page", "What has changed since", "The star is your trust")
    sheet(pages_of(groups, chosen), 3, out / "service-groups.png")
    sheet(pages_of(run.report("Z01", "poster").write(folder / "poster.pdf"), [0]), 1, out / "poster.png", 760)
    annex = folder / "method-annex.pdf"
    annex.write_bytes(dict(national_contents(run, ["method"]))["method-annex.pdf"])  # type: ignore[arg-type]
    sheet(pages_of(annex, [2, 3, *find(annex, "One result followed through")]), 3, out / "annex.png")
    deck = office(run.report("Z01").write(folder / "deck.pptx"), folder)
    shown = find(deck, "Section 1. Support while waiting", "Each question by year")
    sheet(pages_of(deck, [2, 4, *shown]), 2, out / "deck.png")
    book = office(run.report("Z01").write(folder / "book.xlsx"), folder)
    sheet(pages_of(book, find(book, "Scores and expected ranges")), 1, out / "workbook.png")
    first = make_site(folder)
    browser_picture(first.parent / "measures" / "Q6.html", folder / "site.png")
    sheet([Image.open(folder / "site.png")], 1, out / "site.png", 760)
    browser_picture(first.parent / "trusts" / "Z20.html", folder / "trust.png")
    sheet([Image.open(folder / "trust.png").crop((0, 0, 1100, 1500))], 1, out / "trust.png", 860)


def trend_picture(demo: Path, folder: Path) -> None:
    """The top of one page of the demo of trends, whose latest survey is the demo's."""
    from PIL import Image

    history_folder(folder, latest=demo)
    make_trend_results(folder)
    shot = folder / "picture.png"
    browser_picture(make_trend_site(folder).parent / "pages" / "support.html", shot)
    sheet([Image.open(shot).crop((0, 0, 1100, 1300))], 1, DOCS / "pictures" / "trends.png", 860)


def browser_picture(page: Path, out: Path) -> None:
    """A web page as Chromium shows it."""
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("The picture of the web edition needs Chromium: apt-get install chromium")
    command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1100,1900", f"--screenshot={out}"]
    subprocess.run([*command, f"file://{page}"], check=True, capture_output=True)


def main() -> int:
    """Write the generated documentation."""
    (DOCS / "reference.md").write_text(reference(), "utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "demo"
        demo_folder(folder)
        benchmark_folder(folder)
        (DOCS / "simulated.md").write_text(simulation(read_results(folder / "results")), "utf-8")
        picture(folder)
        pictures(folder)
        trend_picture(folder, Path(name) / "trends")
    print("wrote docs/reference.md, docs/simulated.md, docs/pictures/*.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
