"""Reduce the NHS.UK frontend's stylesheet to the rules that the site's pages use.

    pip install tinycss2
    python docs/stylesheet.py nhsuk-frontend.min.css

Reads the whole stylesheet of the npm package and writes the reduced one to the program's static files. Rules that name a
class which no template or module has are left out, with `@font-face`, and custom properties that no kept rule reads.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import tinycss2

WEB = Path(__file__).parent.parent / "src" / "stocktake" / "render" / "web"
TARGET = WEB / "static" / "nhsuk-frontend.css"
CLASS = re.compile(r"nhsuk-[a-zA-Z0-9_-]+")


def used_classes() -> set[str]:
    """Every class of the frontend that a template, module or script names."""
    found: set[str] = {"nhsuk-list--number"}
    for ending in ("*.html", "*.py", "*.js"):
        for path in WEB.rglob(ending):
            found |= set(CLASS.findall(path.read_text("utf-8")))
    return found


def reduced(css: str, used: set[str]) -> str:
    """The rules of a stylesheet that may apply where only these classes are used."""
    text = _rules(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), used)
    while True:
        # A property that only an unused property reads goes in the next round.
        known = set(re.findall(r"(--nhsuk-[\w-]+)\s*:", text))
        read = set(re.findall(r"var\((--nhsuk-[\w-]+)", text))
        unread = known - read
        if not unread:
            return text
        for name in sorted(unread):
            text = re.sub(rf"{re.escape(name)}\s*:[^;}}]*;?", "", text)


def _rules(rules: list, used: set[str]) -> str:  # type: ignore[type-arg]
    out = []
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = tinycss2.serialize(rule.prelude).split(",")
            kept = [s.strip() for s in selectors if _applies(s, used)]
            # Commas inside of brackets are no end of a selector: such lists are kept whole or not at all.
            if any(s.count("(") != s.count(")") for s in kept):
                whole = tinycss2.serialize(rule.prelude)
                kept = [whole.strip()] if _applies(whole, used) else []
            body = tinycss2.serialize(rule.content).strip()
            if kept and body:
                out.append(f"{','.join(kept)}{{{body}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports"):
            inner = _rules(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True), used)
            if inner:
                out.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inner}}}")
    return "".join(out)


def _applies(selector: str, used: set[str]) -> bool:
    # The button that empties a search field is drawn with an icon file that is not here; browsers have their own.
    if "search-cancel-button" in selector:
        return False
    return all(name in used for name in CLASS.findall(selector)) and ".nhsuk" not in CLASS.sub("", selector)


if __name__ == "__main__":
    source = Path(sys.argv[1]).read_text("utf-8")
    TARGET.write_text('@charset "UTF-8";' + reduced(source, used_classes()) + "\n", "utf-8")
    sys.stdout.write(f"{TARGET}: {TARGET.stat().st_size:,} bytes of {len(source.encode()):,}.\n")
