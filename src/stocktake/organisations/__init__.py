"""Who is compared: codes, names, kinds, and what became of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from stocktake.codes import code_problem, folded
from stocktake.definitions import read_text
from stocktake.problems import StocktakeError, nearest

COLUMNS = ("code", "name")
OPTIONAL = ("kind", "region")
# Some 20 MB hold 200,000 organisations.
LARGEST_LIST = 20_000_000


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
    filled = read_rows(path, COLUMNS, "it lists the organisations")
    cells = (tuple(r.get(c, "") for c in (*COLUMNS, *OPTIONAL)) for _, r in filled)
    return check_organisations(cells, path.name, [number for number, _ in filled])


def read_rows(path: Path, columns: Sequence[str], about: str) -> list[tuple[int, dict[str, str]]]:
    """Read a CSV file of words: every row with its number in the file, cells by the header's names.

    Raises StocktakeError with every problem: no such file, a column missing or twice, a row that is too long.
    """
    if not path.is_file():
        raise StocktakeError(f"{path}: no such file; {about}, with columns {' and '.join(columns)}.")
    lines = read_text(path, LARGEST_LIST).splitlines()
    if not lines:
        raise StocktakeError(f"{path.name}: the file is empty; expected a header row with {' and '.join(columns)}.")
    try:
        table = list(csv.reader(lines, delimiter=max(",;\t", key=lines[0].count), strict=True))
    except csv.Error as error:
        raise StocktakeError(f"{path.name}: cannot be read as CSV ({error}).") from None
    header = [h.strip() for h in table[0]]
    problems = [f"{path.name}, row 1: column {c!r} is missing.{nearest(c, header)}" for c in columns if c not in header]
    problems += [
        f"{path.name}, row 1: column {h!r} appears twice."
        for h in sorted({h for h in header if h and header.count(h) > 1})
    ]
    filled = [(number, row) for number, row in enumerate(table[1:], start=2) if row]
    problems += [
        f"{path.name}, row {number}: {len(row)} cells; expected {len(header)}, as the header has."
        for number, row in filled
        if len(row) > len(header)
    ]
    if problems:
        raise StocktakeError(problems)
    return [(n, dict(zip(header, (cell.strip() for cell in row), strict=False))) for n, row in filled]


def check_organisations(
    rows: Iterable[Sequence[str]], file: str, numbers: Iterable[int] | None = None
) -> tuple[Organisation, ...]:
    """Make organisations of (code, name, kind, region) rows.

    `file` names the source in messages, `numbers` the rows, from 2 by default.
    """
    found: dict[str, Organisation] = {}
    problems = []
    for number, (code, name, kind, region) in zip(count(2) if numbers is None else numbers, rows, strict=False):
        if not code or not name:
            problems.append(f"{file}, row {number}: expected a code and a name, found {code!r} and {name!r}.")
        elif problem := code_problem(code):
            problems.append(f"{file}, row {number}, column code: {problem}")
        elif folded(code) in found:
            first = found[folded(code)].code
            alike = "appears twice" if first == code else f"differs from {first!r} only in case"
            problems.append(f"{file}, row {number}, column code: {code!r} {alike}; expected it once.")
        else:
            found[folded(code)] = Organisation(code, name, kind, region)
    if not found and not problems:
        problems.append(f"{file}: expected at least one organisation, found none.")
    if problems:
        raise StocktakeError(problems)
    return tuple(found.values())
