"""Outlines from GeoJSON and TopoJSON give the same areas; what is neither is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stocktake.organisations.maps import read_outlines
from stocktake.problems import StocktakeError

SQUARE = [[0, 50], [1, 50], [1, 51], [0, 51], [0, 50]]
BESIDE = [[1, 50], [2, 50], [2, 51], [1, 51], [1, 50]]
GEO = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {"number": 1}, "geometry": {"type": "Polygon", "coordinates": [SQUARE]}},
        {
            "type": "Feature",
            "id": 2,
            "properties": None,
            "geometry": {"type": "MultiPolygon", "coordinates": [[BESIDE]]},
        },
    ],
}
# The line between the two is one arc, walked upwards by the first and downwards by the second.
TOPO = {
    "type": "Topology",
    "arcs": [[[1, 50], [1, 51]], [[1, 51], [0, 51], [0, 50], [1, 50]], [[1, 50], [2, 50], [2, 51], [1, 51]]],
    "objects": {
        "areas": {
            "type": "GeometryCollection",
            "geometries": [
                {"type": "Polygon", "properties": {"number": 1}, "arcs": [[0, 1]]},
                {"type": "MultiPolygon", "properties": {"number": 2}, "arcs": [[[2, -1]]]},
            ],
        }
    },
}
STEPS = {
    **TOPO,
    "transform": {"scale": [0.5, 0.5], "translate": [0, 50]},
    "arcs": [[[2, 0], [0, 2]], [[2, 2], [-2, 0], [0, -2], [2, 0]], [[2, 0], [2, 0], [0, 2], [-2, 0]]],
}


def read(tmp_path: Path, data: Any, wanted: tuple[str, ...] = ("S1", "S2")) -> dict[str, Any]:
    path = tmp_path / "map.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data), "utf-8")
    return read_outlines(path, "number", "S", wanted)


@pytest.mark.parametrize("data", [GEO, TOPO, STEPS])
def test_every_format_gives_the_same_areas(tmp_path: Path, data: Any) -> None:
    found = read(tmp_path, data)
    assert list(found) == ["S1", "S2"]
    for code, square in (("S1", SQUARE), ("S2", BESIDE)):
        (ring,) = found[code].rings
        assert ring[0] == ring[-1] and set(ring) == {(float(x), float(y)) for x, y in square}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "expected GeoJSON"),
        ("[]", "expected GeoJSON"),
        ({"type": "Point"}, "expected GeoJSON"),
        (
            {
                "type": "FeatureCollection",
                "features": [{"id": 1, "geometry": {"type": "Point", "coordinates": [0, 0]}}],
            },
            "expected GeoJSON",
        ),
        (
            {
                "type": "FeatureCollection",
                "features": [{"id": 1, "geometry": {"type": "Polygon", "coordinates": [[[400_000, 300_000]]]}}],
            },
            "coordinates of S1 are not degrees",
        ),
        ({"type": "FeatureCollection", "features": [GEO["features"][0]]}, r"no outline of S2\."),
    ],
)
def test_what_is_no_map(tmp_path: Path, data: Any, words: str) -> None:
    with pytest.raises(StocktakeError, match=words):
        read(tmp_path, data)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(StocktakeError, match="no such file of outlines"):
        read_outlines(tmp_path / "none.json", "id", "", ())
