"""Who is compared: codes, names, kinds, and what became of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stocktake.definitions import read_text
from stocktake.problems import StocktakeError, nearest

COLUMNS = ("code", "name")
OPTIONAL = ("kind", "region")


@dataclass(frozen=True)
class Organisation:
    """One organisation: its code, the name that readers know, and what kind it is."""

    code: str
    name: str
    kind: str = ""
    region: str = ""


def read_organisations(path: Path) -> tuple[Organisation, ...]:
    """Read organisations.csv (code, name; kind and region if known), in the file's order.

    Raises StocktakeError with every problem: a missing column, a code twice, a row without code or name.
    """
    if not path.is_file():
        raise StocktakeError(f"{path}: no such file; it lists the organisations, with columns code and name.")
    lines = read_text(path).splitlines()
    if not lines:
        raise StocktakeError(f"{path.name}: the file is empty; expected a header row with code and name.")
    reader = csv.DictReader(lines, delimiter=max(",;\t", key=lines[0].count))
    header = [h.strip() for h in reader.fieldnames or []]
    rows = [{(k or "").strip(): (v or "").strip() for k, v in r.items() if k is not None} for r in reader]
    missing = [c for c in COLUMNS if c not in header]
    if missing:
        raise StocktakeError([f"{path.name}, row 1: column {c!r} is missing.{nearest(c, header)}" for c in missing])
    return check_organisations((tuple(r.get(c, "") for c in (*COLUMNS, *OPTIONAL)) for r in rows), path.name)


def check_organisations(rows: Iterable[Sequence[str]], file: str) -> tuple[Organisation, ...]:
    """Make organisations of (code, name, kind, region) rows; `file` names the source in messages."""
    found: dict[str, Organisation] = {}
    problems = []
    for number, (code, name, kind, region) in enumerate(rows, start=2):
        if not code or not name:
            problems.append(f"{file}, row {number}: expected a code and a name, found {code!r} and {name!r}.")
        elif code in found:
            problems.append(f"{file}, row {number}, column code: {code!r} stands twice; expected it once.")
        elif any(c in code for c in '/\\:*?"<>|\0') or code in (".", ".."):
            problems.append(
                f"{file}, row {number}, column code: {code!r} cannot name a folder; "
                "expected letters, figures, hyphens or underscores."
            )
        else:
            found[code] = Organisation(code, name, kind, region)
    if not found and not problems:
        problems.append(f"{file}: expected at least one organisation, found none.")
    if problems:
        raise StocktakeError(problems)
    return tuple(found.values())
