"""Which organisation serves which place, from a list that a user gives."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from stocktake.organisations import read_rows
from stocktake.problems import StocktakeError, nearest

COLUMNS = ("place", "organisation")


def read_places_file(path: Path, known: Set[str]) -> list[tuple[str, str]]:
    """Read a CSV file of places (place, organisation's code), in the file's order; a place may be served by several.

    Raises StocktakeError with every problem: a missing column, a row without a place, a code that is not known.
    """
    out, problems = [], []
    for number, row in read_rows(path, COLUMNS, "it lists the places"):
        place, code = row.get("place", ""), row.get("organisation", "")
        if not place:
            problems.append(f"{path.name}, row {number}, column place: expected a place, found nothing.")
        elif code not in known:
            problems.append(
                f"{path.name}, row {number}, column organisation: no organisation {code!r}.{nearest(code, sorted(known))}"
            )
        elif (place, code) not in out:
            out.append((place, code))
    if problems:
        raise StocktakeError(problems)
    return out
