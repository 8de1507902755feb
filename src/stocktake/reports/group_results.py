"""Results of one group of people, by organisation and by measure, read from the tables once for all reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import polars as pl

from stocktake.reports.charts import Bar
from stocktake.results import Results
from stocktake.survey.instrument import Survey

Row = Mapping[str, Any]


@dataclass(frozen=True)
class GroupResults:
    """All organisations' results of one survey and group: made once, shared by every report of a run."""

    results: Results
    survey: Survey
    group: str = "all"

    @cached_property
    def scores(self) -> Mapping[str, list[Row]]:
        """Rows of `scores` by organisation."""
        return ByOrganisation(self.results.scores, pl.col("group") == self.group)

    @cached_property
    def names(self) -> dict[str, str]:
        """Name of every organisation by its code."""
        return dict(
            self.results.scores.select("organisation", "organisation_name").unique().sort("organisation").iter_rows()
        )

    @cached_property
    def firmness(self) -> Mapping[str, list[Row]]:
        return ByOrganisation(self.results.firmness, pl.col("group") == self.group)

    @cached_property
    def changes(self) -> Mapping[str, list[Row]]:
        latest = pl.col("year_now") == pl.col("year_now").max()
        return ByOrganisation(self.results.changes, (pl.col("group") == self.group) & latest)

    @cached_property
    def changes_between(self) -> Mapping[str, list[Row]]:
        """Changes between two earlier years by organisation."""
        earlier = pl.col("year_now") != pl.col("year_now").max()
        return ByOrganisation(self.results.changes, (pl.col("group") == self.group) & earlier)

    @cached_property
    def profile(self) -> Mapping[str, list[Row]]:
        here = (pl.col("group") == self.group) & (pl.col("year") == self.survey.year)
        return ByOrganisation(self.results.profile, here)

    @cached_property
    def fieldwork(self) -> Mapping[str, list[Row]]:
        return ByOrganisation(self.results.fieldwork, pl.col("group") == self.group)

    @cached_property
    def measures(self) -> dict[tuple[int, str], Row]:
        """Rows of `measures` by year and measure."""
        rows = self.results.measures.filter(pl.col("group") == self.group).iter_rows(named=True)
        return {(r["year"], r["measure"]): r for r in rows}

    def bars(self, measure: str) -> tuple[tuple[Bar, ...], dict[str, int]]:
        """Bars of a measure's shown scores, lowest first, none of them the reader's own, and each organisation's place
        among them; made once for all reports."""
        if measure not in self._bars:
            rows = self.of_measure(measure).values()
            shown = sorted((r["score"], r["organisation"], r["band"]) for r in rows if r["score"] is not None)
            self._bars[measure] = (
                tuple(Bar(code, score, band, False, code) for score, code, band in shown),
                {code: place for place, (_, code, _) in enumerate(shown)},
            )
        return self._bars[measure]

    @cached_property
    def _bars(self) -> dict[str, tuple[tuple[Bar, ...], dict[str, int]]]:
        return {}

    def of_measure(self, measure: str) -> dict[str, Row]:
        """This year's rows of `scores` of one measure by organisation."""
        here = (pl.col("group") == self.group) & (pl.col("year") == self.survey.year) & (pl.col("measure") == measure)
        return {r["organisation"]: r for r in self.results.scores.filter(here).iter_rows(named=True)}

    def changes_of(self, measure: str) -> dict[str, Row]:
        """This year's rows of `changes` of one measure since the wave before, by organisation."""
        earlier = [y for y in self.years if y < self.survey.year]
        if not earlier:
            return {}
        here = (pl.col("group") == self.group) & (pl.col("year_then") == earlier[0]) & (pl.col("measure") == measure)
        return {r["organisation"]: r for r in self.results.latest_changes.filter(here).iter_rows(named=True)}

    def firmness_of(self, measure: str) -> dict[str, Row]:
        """This year's rows of `firmness` of one measure by organisation."""
        here = (pl.col("group") == self.group) & (pl.col("year") == self.survey.year) & (pl.col("measure") == measure)
        return {r["organisation"]: r for r in self.results.firmness.filter(here).iter_rows(named=True)}

    @cached_property
    def left_out(self) -> tuple[str, ...]:
        """Questions of a service group that no organisation has a score for; none of the whole survey's."""
        if self.group == "all":
            return ()
        year = self.survey.year
        scored = [q.code for q in self.survey.questions if q.section is not None]
        return tuple(q for q in scored if self.measures[year, q]["organisations"] == 0)

    @cached_property
    def years(self) -> tuple[int, ...]:
        """The waves of the results, latest first."""
        return tuple(sorted({y for y, _ in self.measures}, reverse=True))

    @cached_property
    def ranked(self) -> dict[str, list[tuple[str, float, int | None]]]:
        """Shown scores of this year by measure, lowest first: (organisation's name, score, band), with its code."""
        now = self.results.scores.filter(
            (pl.col("group") == self.group) & (pl.col("year") == self.survey.year) & pl.col("score").is_not_null()
        ).sort("measure", "score", "organisation")
        out: dict[str, list[tuple[str, float, int | None]]] = {}
        for measure, code, score, band in now.select("measure", "organisation", "score", "band").iter_rows():
            out.setdefault(measure, []).append((code, score, band))
        return out


@lru_cache(maxsize=16)
def _group_results(digest: str, results: _ByIdentity, survey: _ByIdentity, group: str) -> GroupResults:
    return GroupResults(results.value, survey.value, group)


class _ByIdentity:
    """A value that is equal to itself alone.

    Results hold data frames, which cannot be hashed or compared; as keys of the cache they are known by identity.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.value is self.value


def group_results(results: Results, survey: Survey, group: str = "all") -> GroupResults:
    """The results of one group, cached, so that all reports of a run share them."""
    return _group_results(results.digest, _ByIdentity(results), _ByIdentity(survey), group)


class ByOrganisation(Mapping[str, list[Row]]):
    """Rows of a table by organisation, made when they are asked for: those of thousands at once would fill the memory.

    Only the rows' places are put in order; `here` chooses among them. The table itself is shared, not copied.
    """

    def __init__(self, table: pl.DataFrame, here: pl.Expr | None = None) -> None:
        self.table = table
        kept = table.lazy().with_row_index("row")
        kept = kept if here is None else kept.filter(here)
        order = kept.select("organisation", "row").sort("organisation", "row").collect()
        self.rows = order["row"]
        counts = order.group_by("organisation", maintain_order=True).len()
        ends = counts["len"].cum_sum()
        starts = (ends - counts["len"]).to_list()
        self.places = {
            code: (start, length)
            for code, start, length in zip(counts["organisation"], starts, counts["len"], strict=True)
        }

    def frame(self, code: str) -> pl.DataFrame:
        """One organisation's rows as a table."""
        start, length = self.places[code]
        return self.table[self.rows.slice(start, length)]

    def __getitem__(self, code: str) -> list[Row]:
        return list(self.frame(code).iter_rows(named=True))

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)
