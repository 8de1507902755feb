"""The places of the 44 areas of 2017 on a map of tiles, one of the same size for each: row from the north, column from the west."""

from __future__ import annotations

from stocktake.audit.simulate import areas

TILES: dict[str, tuple[int, int]] = {a.number: (a.row, a.column) for a in areas()}
