"""What the public figures say: references of sentences resolved, and claims judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from stocktake.rounding import as_shown, rounded
from stocktake.trends.definition import Indicator, IndicatorLine, Sentence, TrendSettings
from stocktake.trends.sentences import Claim, Reference, claim_of, pieces
from stocktake.trends.tables import EVERYBODY

Row = Mapping[str, Any]


class Unknown(Exception):
    """A reference for which there is no figure; the message says why."""


@dataclass(frozen=True)
class Resolved:
    """The figure of a reference: its value, how it is printed, and where it stands in the tables."""

    value: float | int
    text: str
    source: str


def percent_text(value: float) -> str:
    """A percentage of everybody as it is printed."""
    return f"{rounded(value, 1)}%"


@dataclass(frozen=True)
class Facts:
    """The public tables of trends, by what their rows are of."""

    settings: TrendSettings
    tables: Mapping[str, pl.DataFrame]

    @cached_property
    def points(self) -> dict[str, dict[int, Row]]:
        """Rows of `series` by series and year."""
        out: dict[str, dict[int, Row]] = {}
        for row in self.tables["series"].iter_rows(named=True):
            out.setdefault(row["series"], {})[row["year"]] = row
        return out

    @cached_property
    def everybody(self) -> dict[tuple[str, str], dict[int, Row]]:
        """Rows of `shares` of everybody by series and line, then year."""
        out: dict[tuple[str, str], dict[int, Row]] = {}
        rows = self.tables["shares"].filter(pl.col("breakdown") == EVERYBODY)
        for row in rows.iter_rows(named=True):
            out.setdefault((row["series"], row["line"]), {})[row["year"]] = row
        return out

    @cached_property
    def changes(self) -> dict[tuple[str, str, int, int], Row]:
        """Rows of `share_changes` by series, line and the two years."""
        rows = self.tables["share_changes"].iter_rows(named=True)
        return {(r["series"], r["line"], r["year_then"], r["year_now"]): r for r in rows}

    @cached_property
    def courses(self) -> dict[tuple[str, str], list[Row]]:
        """Rows of `courses` by series and line, the earliest years first."""
        out: dict[tuple[str, str], list[Row]] = {}
        for row in self.tables["courses"].iter_rows(named=True):
            out.setdefault((row["series"], row["line"]), []).append(row)
        return out

    @cached_property
    def groups(self) -> dict[tuple[str, int, str], list[Row]]:
        """Rows of `shares` of groups by series, year and breakdown."""
        out: dict[tuple[str, int, str], list[Row]] = {}
        rows = self.tables["shares"].filter(pl.col("breakdown") != EVERYBODY)
        for row in rows.iter_rows(named=True):
            out.setdefault((row["series"], row["year"], row["breakdown"]), []).append(row)
        return out

    @cached_property
    def differences(self) -> dict[tuple[str, str, str, str], Row]:
        """Rows of `share_differences` by series, breakdown, group and line; each series has them of its latest year."""
        rows = self.tables["share_differences"].iter_rows(named=True)
        return {(r["series"], r["breakdown"], r["group"], r["line"]): r for r in rows}

    @cached_property
    def titles(self) -> dict[str, str]:
        """What readers call each breakdown."""
        return dict(self.tables["breakdowns"].select("breakdown", "title").iter_rows())

    def years(self, series: str) -> list[int]:
        return sorted(self.points[series])

    def stretches(self, series: str) -> list[list[int]]:
        """The years of each stretch that compare with one another, the earliest first."""
        out: dict[int, list[int]] = {}
        for year in self.years(series):
            out.setdefault(self.points[series][year]["segment"], []).append(year)
        return list(out.values())

    def latest(self, series: str) -> list[int]:
        """The latest stretch of years that compare with one another."""
        return self.stretches(series)[-1]

    def lines(self, series: str) -> tuple[IndicatorLine, ...]:
        """Every line of a series, those of the latest year first."""
        labels: dict[str, tuple[int, str]] = {}
        for (code, line), years in self.everybody.items():
            if code == series:
                labels[line] = (-max(years), next(iter(years.values()))["label"])
        order = sorted(labels, key=lambda k: labels[k][0])
        return tuple(
            IndicatorLine(name=f"l{i}", series=series, line=k, label=labels[k][1]) for i, k in enumerate(order)
        )

    def year(self, series: str, words: str) -> int:
        """A year of a series by its number, or as first, before or last of the latest stretch that compares."""
        latest = self.latest(series)
        if words == "last":
            return latest[-1]
        if words == "first":
            return latest[0]
        if words == "before":
            if len(latest) < 2:
                raise Unknown(f"{latest[-1]} compares with no year before it: {self.why(series, latest[-1])}")
            return latest[-2]
        year = int(words)
        if year not in self.points[series]:
            raise Unknown(
                f"{year} is no year of the series {series}; it has {', '.join(map(str, self.years(series)))}."
            )
        return year

    def why(self, series: str, year: int) -> str:
        """Why a year begins a stretch of its own."""
        return self.points[series][year]["break_reason"] or "it is the first."

    def compared(self, series: str, begin: int, end: int) -> list[int]:
        """The years from one to another; raises Unknown where they do not compare."""
        points = self.points[series]
        if begin >= end:
            raise Unknown(f"{begin} to {end} is no span of years.")
        if points[begin]["segment"] != points[end]["segment"]:
            stop = next(y for y in self.years(series) if y > begin and points[y]["segment"] != points[begin]["segment"])
            raise Unknown(f"{begin} and {end} do not compare: {self.why(series, stop)}")
        return [y for y in self.years(series) if begin <= y <= end]

    def share(self, line: IndicatorLine, year: int) -> Row:
        """The row of a line in a year; raises Unknown where there is no figure to print."""
        row = self.everybody.get((line.series, line.line), {}).get(year)
        if row is None or row["percent"] is None:
            why = "there is none" if row is None else row["reason"].lower().rstrip(".")
            raise Unknown(f"no figure of {line.name} in {year}: {why}.")
        return row

    def change(self, line: IndicatorLine, begin: int, end: int) -> Row:
        """The row of a change; raises Unknown where there is none."""
        self.compared(line.series, begin, end)
        for year in (begin, end):
            self.share(line, year)
        return self.changes[line.series, line.line, begin, end]

    def resolve(self, indicator: Indicator, reference: Reference) -> Resolved:
        """The figure that a reference stands for; raises Unknown where there is none."""
        line = line_of(indicator, reference.line) if reference.line else indicator.lines[0]
        begin = self.year(line.series, reference.begin)
        if not reference.line:
            return Resolved(begin, str(begin), f"series/{line.series}/{begin}/year")
        if reference.what == "people":
            row = self.share(line, begin)
            return Resolved(row["base"], f"{row['base']:,}", _source(row, "base"))
        if not reference.end:
            row = self.share(line, begin)
            return Resolved(row["percent"], percent_text(row["percent"]), _source(row, "percent"))
        end = self.year(line.series, reference.end)
        if not reference.what:
            row = self.change(line, begin, end)
            points = abs(row["points"])
            words = f"{rounded(points, 1)} percentage point{'' if as_shown(points, 1) == 1 else 's'}"
            place = f"share_changes/{line.series}/{line.line}/{begin}/{end}/points"
            return Resolved(points, words, place)
        rows = [self.share(line, y) for y in self.compared(line.series, begin, end)]
        values = [r["percent"] for r in rows]
        value = sum(values) / len(values)
        if reference.what != "mean":
            value = min(values) if reference.what == "lowest" else max(values)
        place = f"shares/{line.series}/{line.line}/{begin}..{end}/{reference.what} of percent"
        return Resolved(value, percent_text(value), place)

    def problem(self, indicator: Indicator, sentence: Sentence) -> str:
        """Why a sentence may not be printed; empty where all its claims hold and all its figures are there."""
        try:
            for piece in pieces(sentence.text):
                if isinstance(piece, Reference):
                    self.resolve(indicator, piece)
            for words in sentence.holds:
                claim = claim_of(words)
                assert isinstance(claim, Claim)
                wrong = self._counter_evidence(indicator, claim)
                if wrong:
                    return wrong
        except Unknown as error:
            return str(error)
        return ""

    def _counter_evidence(self, indicator: Indicator, claim: Claim) -> str:
        """What the figures say against a claim; empty where it holds."""
        line = line_of(indicator, claim.name)
        begin = self.year(line.series, claim.begin)
        if claim.end:
            row = self.change(line, begin, self.year(line.series, claim.end))
            expected = "no clear change" if claim.verb == "unchanged" else claim.verb
            found = row["verdict"]
            if found == expected:
                return ""
            return (
                f"{claim.text!r} does not hold: {row['year_then']} {percent_text(row['then'])}, {row['year_now']} "
                f"{percent_text(row['now'])}: {found}."
            )
        own = self.share(line, begin)
        if claim.verb in ("above", "below"):
            return self._beyond(indicator, claim, own, begin)
        values = {one.name: self.share(one, begin)["percent"] for one in indicator.lines}
        extreme = (max if claim.verb == "highest" else min)(values.values())
        if values[line.name] == extreme and list(values.values()).count(extreme) == 1:
            return ""
        others = ", ".join(f"{n} {percent_text(v)}" for n, v in values.items())
        return f"{claim.text!r} does not hold: {others}."

    def _beyond(self, indicator: Indicator, claim: Claim, own: Row, year: int) -> str:
        """Above or below a figure by more than chance, or another line by the figures as printed."""
        up = claim.verb == "above"
        if claim.bound is not None:
            end = own["lower_95"] if up else own["upper_95"]
            if (end > claim.bound) if up else (end < claim.bound):
                return ""
            return (
                f"{claim.text!r} does not hold: {percent_text(own['percent'])}, with an interval from "
                f"{percent_text(own['lower_95'])} to {percent_text(own['upper_95'])}."
            )
        other = self.share(line_of(indicator, claim.other), year)
        low, high = (other, own) if up else (own, other)
        # Of two questions, answered by many of the same people, the intervals must not meet.
        if low["upper_95"] < high["lower_95"]:
            return ""
        return f"{claim.text!r} does not hold: {percent_text(own['percent'])} and {percent_text(other['percent'])}."


def line_of(indicator: Indicator, name: str) -> IndicatorLine:
    """A line of an indicator by its name."""
    return next(line for line in indicator.lines if line.name == name)


def _source(row: Row, column: str) -> str:
    return f"shares/{row['series']}/{row['line']}/{row['year']}/{column}"


def sentence_rows(facts: Facts) -> Iterator[dict[str, Any]]:
    """Rows of the table `sentences`: every sentence, whether it is printed, and why not."""
    for indicator in facts.settings.indicators:
        for i, sentence in enumerate(indicator.sentences):
            problem = facts.problem(indicator, sentence)
            yield {
                "indicator": indicator.code,
                "position": i,
                "text": sentence.text,
                "printed": not problem,
                "problem": problem,
            }
