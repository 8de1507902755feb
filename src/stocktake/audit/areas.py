"""The 44 areas of 2017: their names, regions and sizes, and their places on a map of tiles."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Area:
    """One of the 44 areas: its number, name and region, its place on the tile map, and how many belong to it."""

    number: str
    name: str
    region: str
    region_2018: str
    region_2019: str
    row: int
    column: int
    ccgs: int
    authorities: int
    people: int
    over_65: int


def areas() -> tuple[Area, ...]:
    """The areas of 2017 with the regions of then, of April 2018 and of April 2019; numbers of authorities are shared out by people, for no list of them is at hand."""
    text = (resources.files("stocktake.audit") / "calibration" / "areas_2017.csv").read_text("utf-8")
    return tuple(
        Area(
            r["number"],
            r["name"],
            r["region"],
            r["region_2018"],
            r["region_2019"],
            *(int(r[c]) for c in ("row", "column", "ccgs", "authorities", "people", "over_65")),
        )
        for r in csv.DictReader(text.splitlines())
    )


# A tile of one size for each area: row from the north, column from the west.
TILES: dict[str, tuple[int, int]] = {a.number: (a.row, a.column) for a in areas()}
