"""Regions of organisations: the averages of each, and where it lies on a map of tiles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stocktake.reports.charts import outside
from stocktake.reports.figure_charts import Tile, TileMap, Unit
from stocktake.reports.group_results import Row
from stocktake.reports.words import as_shown, rounded

# Kind and region of each organisation, where its list has them.
Places = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class RegionRow:
    """One region of a measure: how many organisations have a score that is shown, their plain average, and how many lie
    above and below the range."""

    name: str
    count: int
    average: float | None
    above: int
    below: int


def regions_of(rows: Mapping[str, Row], places: Places) -> tuple[RegionRow, ...]:
    """Every region with the plain average of its organisations' shown scores; nothing where no regions are known."""
    found: dict[str, list[Row]] = {}
    for code, row in rows.items():
        region = places.get(code, ("", ""))[1]
        if region:
            found.setdefault(region, []).append(row)
    out = []
    for region, own in sorted(found.items()):
        scores = [r["score"] for r in own if r["score"] is not None]
        above, below = outside(r["band"] for r in own)
        out.append(RegionRow(region, len(scores), math.fsum(scores) / len(scores) if scores else None, above, below))
    return tuple(out)


# Where regions lie on a map of tiles, with their initials: row, then column; every other row is moved by half a tile.
REGION_TILES = {
    "north west": ("NW", 0, 0),
    "north east and yorkshire": ("NEY", 0, 1),
    "north": ("N", 0, 1),
    "midlands": ("MID", 1, 0),
    "east of england": ("EE", 1, 1),
    "east": ("E", 1, 1),
    "south west": ("SW", 2, 0),
    "london": ("LON", 2, 1),
    "south east": ("SE", 3, 0),
    "south": ("S", 3, 0),
}


def region_map(measure: str, regions: Sequence[RegionRow]) -> TileMap | None:
    """Regions as tiles by their averages; None where one of them has no known place, or none has a figure."""
    known = [r.average for r in regions if r.average is not None]
    if not known or any(r.name.casefold() not in REGION_TILES for r in regions):
        return None
    low, high = min(known), max(known)
    edges = tuple(sorted({as_shown(low + (high - low) * k / 3, 1) for k in (1, 2)} - {as_shown(low, 1)}))
    tiles = []
    for r in regions:
        label, row, column = REGION_TILES[r.name.casefold()]
        reason = "" if r.average is not None else "no score that can be shown"
        tiles.append(Tile(label, r.name, row, column, r.average, reason))
    alt = f"{measure}: map of regions as tiles, averages from {rounded(low)} to {rounded(high)}. The table has the same figures."
    return TileMap(f"{measure}: averages by region", tuple(tiles), edges, Unit("score", 1), alt)
