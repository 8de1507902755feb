"""The figures of trends: percentages by year and group, changes, courses over the years, and differences between groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stocktake.compare.change import share_change
from stocktake.compare.estimates import Floats
from stocktake.compare.rates import share
from stocktake.compare.suppress import BESIDE
from stocktake.compare.trend import LEVEL, share_trend
from stocktake.rounding import as_shown, round_percent
from stocktake.survey.breakdowns import (
    Breakdown,
    Tally,
    adjusted_difference,
    adjustment_cells,
    breakdown_of,
    tallies,
)
from stocktake.survey.counts import Ints
from stocktake.survey.instrument import Survey
from stocktake.survey.percentages import (
    Influence,
    NationalWeights,
    counted_options,
    national_weights,
    with_influence,
)
from stocktake.survey.scores import cell_respondents
from stocktake.survey.wave import Wave
from stocktake.trends.series import Line, Series

EVERYBODY = "all"
Row = dict[str, Any]


@dataclass(frozen=True)
class YearOf:
    """One year of the collection: its survey's folder, its counted wave, its weights, and its groups of organisations."""

    year: int
    folder: str
    wave: Wave
    weights: NationalWeights
    groupings: tuple[Breakdown, ...]


@dataclass(frozen=True)
class ShareBlock:
    """What the groups of one breakdown answered to one series in one year.

    `tally` has the answers that percentages are of, of shape (groups + 1, cells, answers), in the order of `options`
    (positions from 1); the last group is of people whose group is not known. `left_out` gave another answer, by group.
    """

    series: Series
    year: int
    breakdown: Breakdown
    options: tuple[int, ...]
    tally: Tally
    left_out: Ints
    survey: str
    weighted_for_response: bool

    @property
    def count(self) -> Ints:
        """People by group and answer."""
        return self.tally.count.sum(axis=1)

    @property
    def weight(self) -> Floats:
        """Sums of weights by group and answer."""
        return self.tally.weight.sum(axis=1)

    @property
    def base(self) -> Ints:
        """People by group."""
        return self.count.sum(axis=1)

    @property
    def effective(self) -> Floats:
        """Kish's effective base by group."""
        squares = self.tally.square.sum(axis=(1, 2))
        total = self.weight.sum(axis=1)
        return np.where(squares > 0, total**2 / np.where(squares > 0, squares, 1.0), 0.0)

    def chosen(self, line: Line) -> NDArray[np.bool_]:
        """Which answers a line counts."""
        own = line.options.get(self.survey, ())
        return np.array([o in own for o in self.options])

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of the series that have an answer in this year's questionnaire."""
        return tuple(line for line in self.series.lines if line.options.get(self.survey))


def blocks_of_year(
    here: YearOf,
    series: Sequence[Series],
    demographics: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    influence: Influence,
) -> list[ShareBlock]:
    """The blocks of one year: everybody, groups of organisations, each demographic, and pairs of them.

    Pairs are of the latest year of each series alone.
    """
    asked = [(s, s.by_year[here.year].question) for s in series if here.year in s.by_year]
    survey, counts = here.wave.survey, here.wave.counts
    assert counts is not None
    known = {d.code for d in survey.demographics}
    breakdowns = [Breakdown(EVERYBODY, ("Everybody",)), *here.groupings]
    breakdowns += [breakdown_of(survey, (d,)) for d in demographics if d in known]
    breakdowns += [breakdown_of(survey, pair) for pair in pairs if known.issuperset(pair)]
    weights = {q: _weights(here, q, influence) for _, q in asked}
    found = tallies(here.wave.batches(), counts.layout, survey, weights, breakdowns)
    out = []
    for one, question in asked:
        options = counted_options(survey.by_code[question])
        rest = [i for i in range(1, len(survey.by_code[question].options) + 1) if i not in options]
        for breakdown in breakdowns:
            if len(breakdown.variables) > 1 and here.year != one.years[-1]:
                continue
            whole = found[question, breakdown.name]
            counted = Tally(*(t[:, :, list(options)] for t in (whole.count, whole.weight, whole.square)))  # type: ignore[arg-type]
            left_out = whole.count[:, :, rest].sum(axis=(1, 2))
            out.append(
                ShareBlock(one, here.year, breakdown, options, counted, left_out, here.folder, here.weights.response)
            )
    return out


def _weights(here: YearOf, question: str, influence: Influence) -> Floats:
    counts, survey = here.wave.counts, here.wave.survey
    assert counts is not None
    options = list(counted_options(survey.by_code[question]))
    layout = counts.layout
    table = counts.answers[layout.positions[question]].reshape(
        len(layout.organisations), len(layout.groups) + 1, layout.cells + 1, -1
    )
    answered = table[:, :, : layout.cells, options].sum(axis=(1, 3)).astype(np.float64)
    return with_influence(here.weights.values, cell_respondents(counts), answered, influence)


def weights_of(wave: Wave, invited: Ints | None) -> NationalWeights:
    """The national weights of a wave; `invited` by organisation and cell, None where that is not known."""
    assert wave.counts is not None
    return national_weights(cell_respondents(wave.counts), invited)


@dataclass(frozen=True)
class Hidden:
    """What of a block may not be printed: whole groups, and single lines of a group (groups, lines)."""

    groups: NDArray[np.bool_]
    lines: NDArray[np.bool_]


def share_rows(block: ShareBlock, hidden: Hidden) -> Iterator[Row]:
    """Rows of the table `shares`: one for each group and line."""
    effective, base = block.effective, block.base
    weight = block.weight
    total = weight.sum(axis=1)
    point = block.series.by_year[block.year]
    for g, label in enumerate(block.breakdown.labels):
        if base[g] == 0 and block.breakdown.name != EVERYBODY:
            continue
        for k, line in enumerate(block.lines):
            here = block.chosen(line)
            row: Row = {
                "series": block.series.code, "year": block.year, "survey": point.survey, "question": point.question,
                "segment": point.segment, "breakdown": block.breakdown.name, "group": label, "line": line.code,
                "label": line.label, "weighted_for_response": block.weighted_for_response, "status": "shown", "reason": "",
            }  # fmt: skip
            if hidden.groups[g] or hidden.lines[g, k]:
                row |= {"status": "withheld", "reason": BESIDE}
            elif base[g] == 0:
                row |= {"status": "no data", "reason": "Nobody answered."}
            if not hidden.groups[g]:
                row |= {"base": int(base[g]), "left_out": int(block.left_out[g]), "effective_base": float(effective[g])}
            if row["status"] == "shown":
                part = weight[g, here].sum() / total[g]
                found = share(np.array(part * effective[g]), np.array(effective[g]), LEVEL)
                row |= {
                    "percent": 100 * float(found.value), "lower_95": 100 * float(found.low),
                    "upper_95": 100 * float(found.high), "count": int(block.count[g, here].sum()),
                }  # fmt: skip
            yield row


def _figures(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str, str], dict[int, Mapping[str, Any]]]:
    """Shown rows of everybody, by series, breakdown, group and line, then year."""
    out: dict[tuple[str, str, str, str], dict[int, Mapping[str, Any]]] = {}
    for row in rows:
        if row["status"] == "shown" and row["breakdown"] == EVERYBODY:
            key = (row["series"], row["breakdown"], row["group"], row["line"])
            out.setdefault(key, {})[row["year"]] = row
    return out


def _percent(row: Mapping[str, Any]) -> float:
    """The percentage as it is printed."""
    return float(round_percent(np.array([row["percent"]]), 1)[0])


def change_rows(series: Mapping[str, Series], rows: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """Rows of `share_changes`: between any two years that compare, in percentage points.

    From the percentages as printed, so that the difference of two printed figures is the printed difference, and so that
    nothing follows from tests that does not follow from the figures.
    """
    for (code, breakdown, group, line), years in _figures(rows).items():
        pairs = [(a, b) for a, b in combinations(sorted(years), 2) if series[code].compare(a, b)]
        if not pairs:
            continue
        then, now = (
            (
                np.array([_percent(years[p[i]]) / 100 for p in pairs]),
                np.array([as_shown(years[p[i]]["effective_base"], 0) for p in pairs]),
            )
            for i in (0, 1)
        )
        tested = share_change(now, then, LEVEL)
        for i, (a, b) in enumerate(pairs):
            z, p = float(tested.z[i]), float(tested.p[i])
            verdict = "no clear change" if np.isnan(p) or p >= 1 - LEVEL else "rose" if z > 0 else "fell"
            yield {
                "series": code, "breakdown": breakdown, "group": group, "line": line, "year_then": a, "year_now": b,
                "then": _percent(years[a]), "now": _percent(years[b]), "points": 100 * float(tested.difference[i]),
                "lower_95": 100 * float(tested.low[i]), "upper_95": 100 * float(tested.high[i]),
                "z": None if np.isnan(z) else z, "p": None if np.isnan(p) else p, "verdict": verdict,
            }  # fmt: skip


def course_rows(series: Mapping[str, Series], rows: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """Rows of `courses`: the test for a trend over each stretch of three or more years that compare; as printed, too."""
    for (code, breakdown, group, line), years in _figures(rows).items():
        for segment in series[code].segments:
            known = [y for y in segment if y in years]
            found = share_trend(
                np.array(known, dtype=np.float64),
                np.array([_percent(years[y]) / 100 for y in known]),
                np.array([as_shown(years[y]["effective_base"], 0) for y in known]),
            )
            if found.course is None:
                continue
            yield {
                "series": code, "breakdown": breakdown, "group": group, "line": line, "year_first": known[0],
                "year_last": known[-1], "years": len(known), "points_a_year": 100 * found.slope,
                "lower_95": 100 * found.low, "upper_95": 100 * found.high, "z": found.z, "p": found.p,
                "departure": found.departure, "freedom": found.freedom, "p_departure": found.p_departure,
                "course": str(found.course), "steady": found.p_departure >= 1 - LEVEL,
            }  # fmt: skip


def difference_rows(block: ShareBlock, hidden: Hidden, survey: Survey) -> list[Row]:
    """Rows of `share_differences`: each group of one demographic against everybody else of it, adjusted for age and sex."""
    if len(block.breakdown.variables) != 1:
        return []
    cells = adjustment_cells(survey, block.breakdown.variables)
    every = np.ones(len(block.options), dtype=bool)
    groups = range(len(block.breakdown.labels))
    out: list[Row] = []
    for g in groups:
        others = [h for h in groups if h != g]
        if hidden.groups[g] or block.base[g] == 0 or block.base[others].sum() == 0:
            continue
        own, rest = (
            Tally(*(t[chosen].sum(axis=0) for t in (block.tally.count, block.tally.weight, block.tally.square)))
            for chosen in ([g], others)
        )
        for k, line in enumerate(block.lines):
            if hidden.lines[g, k]:
                continue
            found = adjusted_difference(own, rest, block.chosen(line), every, cells, LEVEL)
            if np.isnan(found.adjusted):
                continue
            row: Row = {
                "series": block.series.code, "year": block.year, "breakdown": block.breakdown.name,
                "group": block.breakdown.labels[g], "line": line.code, "difference": 100 * found.plain,
                "adjusted": 100 * found.adjusted, "lower_95": _none(100 * found.low), "upper_95": _none(100 * found.high),
                "z": _none(found.z), "p": _none(found.p), "covered": found.covered,
            }  # fmt: skip
            out.append(row)
    return out


def with_q_values(rows: Sequence[Row]) -> list[Row]:
    """Differences with Benjamini and Hochberg's adjusted p, among all groups of one year, series and line."""
    # Loaded here, for it takes most of a second that everything else can do without.
    from scipy.stats import false_discovery_control

    families: dict[tuple[str, int, str], list[int]] = {}
    for i, row in enumerate(rows):
        if row["p"] is not None:
            families.setdefault((row["series"], row["year"], row["line"]), []).append(i)
    out = [dict(row, q_value=None, stands=False) for row in rows]
    for places in families.values():
        for i, q in zip(places, false_discovery_control([rows[i]["p"] for i in places]), strict=True):
            out[i] |= {"q_value": float(q), "stands": bool(q < 1 - LEVEL)}
    return out


def series_rows(series: Iterable[Series]) -> Iterator[Row]:
    """Rows of `series`: every year of each, with what was asked and why it does not compare with the year before."""
    for position, one in enumerate(series):
        for point in one.points:
            yield {
                "series": one.code, "position": position, "title": one.title, "short": one.short, "section": one.section,
                "declared": one.declared, "year": point.year, "survey": point.survey, "question": point.question,
                "text": point.text, "segment": point.segment, "break_reason": point.reason, "note": point.note,
            }  # fmt: skip


def _none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
