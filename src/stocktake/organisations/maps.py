"""Outlines of areas from a reader's own GeoJSON or TopoJSON file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stocktake.definitions import read_text
from stocktake.problems import StocktakeError, nearest

Point = tuple[float, float]
Ring = tuple[Point, ...]
# Some 200,000 points, far more than a page can show.
LARGEST_MAP = 20_000_000


@dataclass(frozen=True)
class Outline:
    """The outline of one area: closed rings of longitude and latitude in degrees, holes among them."""

    rings: tuple[Ring, ...]


def read_outlines(path: Path, field: str, prefix: str, wanted: Sequence[str]) -> dict[str, Outline]:
    """The outlines of areas by code: `prefix` and the value of `field` in each feature's properties (or its `id`).

    Raises StocktakeError for a file that is neither GeoJSON nor TopoJSON, for shapes other than polygons, for
    coordinates that are not degrees, and where an area of `wanted` has none.
    """
    if not path.is_file():
        raise StocktakeError(f"{path}: no such file of outlines.")
    try:
        data = json.loads(read_text(path, LARGEST_MAP))
        found = dict(_features(data, field, prefix))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise StocktakeError(
            f"{path.name}: expected GeoJSON (a FeatureCollection) or TopoJSON with polygons."
        ) from None
    far = [c for c, o in found.items() if any(not (-180 <= x <= 180 and -90 <= y <= 90) for r in o.rings for x, y in r)]
    if far:
        raise StocktakeError(f"{path.name}: the coordinates of {far[0]} are not degrees of longitude and latitude.")
    missing = [c for c in wanted if c not in found]
    if missing:
        raise StocktakeError([f"{path.name}: no outline of {c}.{nearest(c, list(found))}" for c in missing[:20]])
    return found


def _features(data: Mapping[str, Any], field: str, prefix: str) -> Iterator[tuple[str, Outline]]:
    if data["type"] == "FeatureCollection":
        for feature in data["features"]:
            shape = feature["geometry"]
            yield _code(feature, field, prefix), Outline(tuple(_rings(shape["type"], shape["coordinates"])))
        return
    if data["type"] != "Topology":
        raise ValueError
    arcs = list(_arcs(data))
    for collection in data["objects"].values():
        for shape in collection["geometries"]:
            closed = _closed(shape["type"], shape["arcs"], arcs)
            yield _code(shape, field, prefix), Outline(tuple(closed))


def _code(feature: Mapping[str, Any], field: str, prefix: str) -> str:
    properties = feature.get("properties") or {}
    return f"{prefix}{properties[field] if field in properties else feature['id']}"


def _rings(kind: str, coordinates: Any) -> Iterator[Ring]:
    for polygon in _polygons(kind, coordinates):
        for ring in polygon:
            yield tuple((float(p[0]), float(p[1])) for p in ring)


def _polygons(kind: str, content: Any) -> Any:
    if kind not in ("Polygon", "MultiPolygon"):
        raise ValueError
    return [content] if kind == "Polygon" else content


def _arcs(data: Mapping[str, Any]) -> Iterator[list[Point]]:
    """The arcs of a topology in degrees: each is written as steps from point to point where there is a transform."""
    transform = data.get("transform")
    for arc in data["arcs"]:
        if transform is None:
            yield [(float(p[0]), float(p[1])) for p in arc]
            continue
        (sx, sy), (tx, ty) = transform["scale"], transform["translate"]
        x = y = 0
        out = []
        for step in arc:
            x, y = x + step[0], y + step[1]
            out.append((x * sx + tx, y * sy + ty))
        yield out


def _closed(kind: str, content: Any, arcs: Sequence[Sequence[Point]]) -> Iterator[Ring]:
    """Rings put together from arcs; a negative number is an arc walked backwards."""
    for polygon in _polygons(kind, content):
        for ring in polygon:
            points: list[Point] = []
            for number in ring:
                arc = list(arcs[number]) if number >= 0 else list(arcs[~number])[::-1]
                points += arc[1:] if points else arc
            yield tuple(points)
