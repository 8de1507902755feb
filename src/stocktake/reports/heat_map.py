"""Organisations by questions: the band of each on each, and how many would lie outside the range by chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stocktake.compare.firmness import expected_by_chance, most_by_chance
from stocktake.reports.charts import outside
from stocktake.reports.group_results import GroupResults
from stocktake.reports.regions import Places


@dataclass(frozen=True)
class HeatRow:
    """One organisation of the heat map: its band on every question, None without one, and what is counted."""

    code: str
    name: str
    kind: str
    region: str
    bands: tuple[int | None, ...]
    above: int
    below: int
    chance: float
    most: int


@dataclass(frozen=True)
class HeatMap:
    """Organisations by questions: the code and short name of every question, and the rows."""

    questions: tuple[tuple[str, str], ...]
    rows: tuple[HeatRow, ...]


def heat_map(field: GroupResults, organisations: Mapping[str, str], places: Places) -> HeatMap:
    """Every organisation's band on every question, with how many lie outside the range and how many would by chance."""
    survey = field.survey
    questions = [q.code for q in survey.scored]
    bands: dict[str, dict[str, int | None]] = {}
    for q in questions:
        for code, row in field.of_measure(q).items():
            bands.setdefault(code, {})[q] = row["band"]
    lines = []
    for code, name in organisations.items():
        own = tuple(bands.get(code, {}).get(q) for q in questions)
        banded = [b for b in own if b is not None]
        chance, _, _ = expected_by_chance(len(banded))
        lines.append(
            HeatRow(
                code,
                name,
                *places.get(code, ("", "")),
                own,
                *outside(banded),
                chance,
                most_by_chance(len(banded)),
            )
        )
    return HeatMap(tuple((q, survey.by_code[q].short or survey.by_code[q].label) for q in questions), tuple(lines))
