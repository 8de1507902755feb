"""Maps of areas, as tiles of one size or with their boundaries, as SVG on the canvas of `render.svg`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from stocktake.render.figure_drawings import LEVELS, shortened
from stocktake.render.theme import OUTLINE, ink_on
from stocktake.render.words import text_width
from stocktake.reports.figure_charts import AreaMap, TileMap

if TYPE_CHECKING:
    from stocktake.render.svg import Canvas


def tile_map(canvas: Canvas, chart: TileMap) -> None:
    theme = canvas.theme
    rows = max((t.row for t in chart.tiles), default=0) + 1
    columns = max((t.column for t in chart.tiles), default=0) + 1
    size = 38.0
    canvas.height = canvas.height or rows * size + 6
    for tile in chart.tiles:
        # Every other row is moved by half a tile, so that neighbours touch as they do on the ground.
        x = tile.column * size + (size / 2 if tile.row % 2 else 0) + 2
        y = tile.row * size + 2
        if chart.layer == "over":
            if tile.own:
                canvas.rect(x + 0.8, y + 0.8, size - 3.6, size - 3.6, "none", theme.own, 3)
            continue
        fill = _class_fill(chart, tile.value)
        canvas.parts.append(
            f"<g><title>{escape(tile.name)}: {escape(chart.unit.text(tile.value) if tile.value is not None else tile.reason)}</title>"
        )
        canvas.rect(x, y, size - 2, size - 2, fill, OUTLINE, 0.6)
        if tile.value is None:
            for d in (12, 24, 36):
                canvas.line(x, y + d, x + d, y, "#C3CAD0", 0.8)
        if tile.own and chart.layer == "all":
            canvas.rect(x + 0.8, y + 0.8, size - 3.6, size - 3.6, "none", theme.own, 3)
        ink = theme.ink if tile.value is None else ink_on(fill)
        canvas.text(x + size / 2 - 1, y + 14, tile.label, 10, "middle", "bold", ink)
        if tile.value is not None:
            words = chart.unit.text(tile.value)
            small = min(9.0, (size - 5) / max(text_width(words, 1.0), 1e-9))
            canvas.text(x + size / 2 - 1, y + 28, words, max(small, 6.5), "middle", fill=ink)
        canvas.parts.append("</g>")
    if chart.layer != "over":
        _map_key(canvas, chart, (columns + 0.5) * size + 18)


def _class_fill(chart: TileMap, value: float | None) -> str:
    """The colour of a figure's class; white without one."""
    return "#FFFFFF" if value is None else LEVELS[min(chart.level(value), len(LEVELS) - 1)]


def _map_key(canvas: Canvas, chart: TileMap, x: float) -> None:
    """The classes of a map, what a missing figure looks like, and the reader's own."""
    theme = canvas.theme
    for i, words in enumerate(chart.classes()):
        canvas.rect(x, 6 + i * 20, 22, 14, LEVELS[i], OUTLINE, 0.6)
        canvas.text(x + 28, 17 + i * 20, words, 9.5)
    y = 6 + len(chart.classes()) * 20
    canvas.rect(x, y, 22, 14, "#FFFFFF", OUTLINE, 0.6)
    canvas.line(x, y + 12, x + 12, y, "#8A949C", 0.8)
    canvas.text(x + 28, y + 11, "no figure for this area", 9.5)
    if any(t.own for t in chart.tiles) or chart.layer == "base":
        canvas.rect(x + 1, y + 21, 20, 12, "none", theme.own, 3)
        canvas.text(x + 28, y + 31, "yours", 9.5, weight="bold")
    canvas.text(x, y + 52, shortened(f"Unit: {chart.unit.name}", canvas.width - x, 9.5), 9.5, fill=theme.soft)


def area_map(canvas: Canvas, chart: AreaMap) -> None:
    """Boundaries in degrees, with degrees of longitude as wide as they are at the middle of the map."""
    theme = canvas.theme
    points = [p for s in chart.shapes for r in s.rings for p in r]
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    squeeze = math.cos(math.radians((south + north) / 2))
    canvas.height = canvas.height or 370.0
    wide = canvas.width * 0.6
    scale = min((canvas.height - 8) / max(north - south, 1e-9), wide / max((east - west) * squeeze, 1e-9))

    def path(rings: tuple[tuple[tuple[float, float], ...], ...]) -> str:
        return "".join(
            "M"
            + "L".join(f"{4 + (x - west) * squeeze * scale:.1f} {4 + (north - y) * scale:.1f}" for x, y in ring)
            + "z"
            for ring in rings
        )

    # The reader's own boundary is drawn last, so that no neighbour covers it.
    for shape in sorted(chart.shapes, key=lambda s: s.own):
        fill = _class_fill(chart.tiles, shape.value)
        words = chart.tiles.unit.text(shape.value) if shape.value is not None else shape.reason
        line = f'stroke="{theme.own}" stroke-width="2.4"' if shape.own else f'stroke="{OUTLINE}" stroke-width="0.5"'
        if shape.value is None:
            line += ' stroke-dasharray="2 1.5"' if not shape.own else ""
        canvas.parts.append(
            f'<path d="{path(shape.rings)}" fill="{fill}" fill-rule="evenodd" {line}><title>{escape(shape.name)}: {escape(words)}</title></path>'
        )
    _map_key(canvas, chart.tiles, wide + 24)
