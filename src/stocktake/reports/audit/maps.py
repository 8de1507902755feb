"""Displays of areas as maps."""

from __future__ import annotations

import numpy as np

from stocktake.audit.areas import TILES
from stocktake.audit.figures import SHOWN
from stocktake.audit.specification import Indicator
from stocktake.reports.audit.facts import Facts, Reader, Row, shown
from stocktake.reports.figure_charts import AreaMap, Shape, Tile, TileMap
from stocktake.reports.model import Block, Figure, Inline, Table, paragraph
from stocktake.reports.words import listed, plural


def map_blocks(facts: Facts, reader: Reader, indicator: Indicator) -> list[Block]:
    """A display of areas: tiles, or their own boundaries where there are any; areas without a figure, and the reader's own."""
    rows = facts.rows(indicator.code, "stp")
    values = [r["value"] for r in shown(rows)]
    unit = facts.unit(indicator)
    # Five classes of about as many areas each; fewer where there are few figures.
    edges = sorted({float(q) for q in np.quantile(values, [0.2, 0.4, 0.6, 0.8])}) if len(values) >= 5 else []
    mine = {reader.code} if reader.kind == "stp" else set(reader.area)
    if reader.kind == "region":
        mine = set(facts.register.members(reader.code, "stp", facts.spec.census))
    tiles = []
    for code, row in rows.items():
        place = TILES.get(code.removeprefix("STP"))
        if place is not None:
            label = code.removeprefix("STP")
            tiles.append(Tile(label, row["organisation_name"], *place, row["value"], row["reason"], code in mine))
    missing = len(rows) - len(values)
    own = [rows[c] for c in sorted(mine) if c in rows]
    ends = f"from {unit.text(values[0])} to {unit.text(values[-1])}" if values else "none"
    alt = f"{indicator.title}: a tile for each of {len(rows)} areas; {len(values)} have a figure, {ends}. " + own_words(
        facts, indicator, own[:4]
    )
    tiled = TileMap(indicator.title, tuple(tiles), tuple(edges), unit, alt, indicator.code)
    blocks: list[Block] = [Figure(tiled)]
    if facts.outlines:
        shapes = tuple(
            Shape(r["organisation_name"], facts.outlines[c].rings, r["value"], r["reason"], c in mine)
            for c, r in rows.items()
        )
        blocks = [Figure(AreaMap(indicator.title, shapes, tiled, alt))]
    elif len(tiles) < len(rows):
        # Areas of another year or country have no place on the map of tiles.
        cells = tuple(
            (r["organisation_name"], unit.text(r["value"]) if r["value"] is not None else r["reason"])
            for r in rows.values()
        )
        blocks = [Table(indicator.title, ("Area", indicator.unit), cells)]
    if missing:
        reasons: dict[str, int] = {}
        for row in rows.values():
            if row["status"] != SHOWN:
                reasons[row["reason"]] = reasons.get(row["reason"], 0) + 1
        said = " ".join(f"{n} {plural(n, 'area')}: {reason}" for reason, n in sorted(reasons.items()))
        blocks.append(paragraph(f"Areas without a figure: {missing} of {len(rows)}. {said}", "note"))
    for row in own[: 2 if reader.kind == "region" else 4]:
        how = made_words(facts, reader, row) if row["status"] == SHOWN else row["reason"]
        figure: Inline = facts.number(indicator, row["value"], f"{indicator.code}.{row['organisation']}.value")
        blocks.append(paragraph(f"{row['organisation_name']}: {{figure}}. {how}", figure=figure))
    return blocks


def made_words(facts: Facts, reader: Reader, row: Row) -> str:
    """How an area's figure was made: of whose answers, named to the area itself."""
    codes = row["made_of"].split()
    names = f"{len(codes)} organisation{'' if len(codes) == 1 else 's'}"
    if reader.kind == "stp" and len(codes) <= 4:
        names = listed([facts.register.bodies[c].name for c in codes])
    return f"Made of the returns of {names}; {row['organisations']} of {row['asked']} that were asked count in it."


def own_words(facts: Facts, indicator: Indicator, rows: list[Row]) -> str:
    """The reader's own figures, for those who cannot see a chart."""
    unit = facts.unit(indicator)
    said = [f"{r['organisation_name']}: {unit.text(r['value']) if r['status'] == SHOWN else r['reason']}" for r in rows]
    return f"{'; '.join(said)}." if said else "None of them is marked as the reader's own."
