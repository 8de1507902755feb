"""One run from files to results: reading, counting, scoring, comparing and storing, in order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

from stocktake.compare.change import change
from stocktake.compare.estimates import Estimates, Floats
from stocktake.compare.expected_range import ExpectedRange, expected_range, not_compared
from stocktake.compare.firmness import Firmness, distances, leave_one_out, question_q, steps_to_better
from stocktake.compare.suppress import suppress
from stocktake.disclosure.protect import Further, protect
from stocktake.problems import BlockedError, StocktakeError
from stocktake.results import ALL, Results, assemble
from stocktake.results.schemas import empty
from stocktake.run.core import Run
from stocktake.run.provenance import inputs_of, provenance
from stocktake.run.settings import (
    Settings,
    instrument_source,
    load_instrument,
    read_settings,
    settings_of,
    with_settings,
)
from stocktake.run.waves import Organisations, finding_sentence, waves_in_memory, waves_of_folder
from stocktake.run.workbook import published
from stocktake.survey.engines import Progress
from stocktake.survey.fieldwork import profile
from stocktake.survey.instrument import Survey
from stocktake.survey.resample import band_probabilities
from stocktake.survey.scores import Scores, cell_respondents, score_groups
from stocktake.survey.wave import Wave
from stocktake.survey.weights import national_shares


def benchmark(
    folder: Path | str | None = None,
    *,
    instrument: str | Path | Survey | None = None,
    responses: Any = None,
    sample: Any = None,
    organisations: Any = None,
    earlier: Mapping[int, Mapping[str, Any]] | None = None,
    settings: Mapping[str, Any] | None = None,
    disclosure: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Run:
    """Benchmark a survey: from a folder with survey.yaml, or from tables in memory.

    In memory: `instrument` (library code, file or Survey), `responses` and optionally `sample` (paths,
    polars or pandas frames, LazyFrames, PyArrow datasets, Arrow readers), `organisations` (a mapping of code to name, a frame with
    code and name, or a path; by default the codes found), and `earlier` waves by year, each with its own
    responses, sample and organisations. `settings` and `disclosure` are those of survey.yaml. Raises BlockedError where findings block the run, and
    StocktakeError for what cannot be read.
    """
    if folder is not None:
        path = Path(folder)
        chosen = read_settings(path)
        if chosen.workbook is not None:
            source = instrument_source(chosen.instrument, path)
            return published(path / chosen.workbook, instrument=source, settings=chosen, folder=path)
        survey = load_instrument(chosen, path)
        return results_of_waves(survey, chosen, waves_of_folder(path, chosen, survey, progress), path)
    if instrument is None or responses is None:
        raise StocktakeError("benchmark needs a folder, or an instrument and responses.")
    name = instrument.code if isinstance(instrument, Survey) else str(instrument)
    chosen = settings_of({"instrument": name, "settings": dict(settings or {}), "disclosure": dict(disclosure or {})})
    survey = with_settings(instrument, chosen) if isinstance(instrument, Survey) else load_instrument(chosen, None)
    waves = waves_in_memory(survey, responses, sample, organisations, earlier or {}, progress)
    return results_of_waves(survey, chosen, waves, None)


def results_of_waves(
    survey: Survey, settings: Settings, waves: Sequence[tuple[Wave, Organisations]], folder: Path | None
) -> Run:
    """From counted waves to a run; raises BlockedError with every finding that blocks the run."""
    findings = pl.concat([w.findings for w, _ in waves])
    blocked = findings.filter(pl.col("blocks"))
    if blocked.height:
        raise BlockedError([finding_sentence(f) for f in blocked.iter_rows(named=True)])
    inputs = {} if folder is None else inputs_of(folder, settings)
    results = _results(survey, settings, waves, inputs)
    return Run(survey, results, findings, settings, folder, tuple(w for w, _ in waves))


@dataclass(frozen=True)
class _Compared:
    """One wave and group on its way to the tables: suppressed estimates and their comparison."""

    estimates: Estimates
    compared: ExpectedRange
    scored: Scores
    not_compared: str = ""


def _scored(
    wave: Wave, survey: Survey, groups: Iterable[str | None], shares: Mapping[str | None, Floats] | None = None
) -> dict[tuple[int, str | None], Scores]:
    """One wave's scores of all respondents (None) and of groups, nothing withheld yet."""
    assert wave.counts is not None
    method = survey.method
    reference: dict[str | None, Floats | None] = dict.fromkeys(groups)
    if shares is not None:
        reference = {group: shares[group] for group in reference}
    elif method.group_reference == "all":
        everyone = national_shares(cell_respondents(wave.counts))
        reference = {group: None if group is None else everyone for group in reference}
    found = score_groups(wave.counts, wave.survey, method, reference, second_pass=wave.second_pass)
    return {(wave.year, group): scores for group, scores in found.items()}


def _compare(scored: Scores, survey: Survey, group: str | None, further: Collection[tuple[str, str]]) -> _Compared:
    """Suppress and compare one wave's scores of a group; `further` results are withheld for others' sake."""
    method = survey.method
    rules = next((g for g in survey.groups if g.code == group), None)
    left_out = rules.left_out if rules is not None else ()
    if rules is not None and rules.report == "questions":
        left_out = (*left_out, *(s.code for s in survey.sections))
    shown = suppress(scored.estimates, method.minimum_base, left_out, further)
    if rules is not None and not rules.compared:
        return _Compared(shown, not_compared(shown), scored, rules.note or "Scores of this group are not compared.")
    compared = expected_range(
        shown, winsorise=method.winsorise, percentile=method.percentile, zero_spread=method.zero_spread
    )
    return _Compared(shown, compared, scored)


def _firmness(wave: Wave, survey: Survey, group: str | None, here: _Compared) -> Firmness:
    """How firm each band of this year's is."""
    assert wave.counts is not None
    method = survey.method
    shown, compared = here.estimates, here.compared
    probability, resampled = band_probabilities(wave.counts, wave.survey, group, here.scored, shown, compared)
    lowest, highest = leave_one_out(
        shown, winsorise=method.winsorise, percentile=method.percentile, zero_spread=method.zero_spread
    )
    up, down = distances(shown.value, compared)
    steps = steps_to_better(up, here.scored.gain, here.scored.movers)
    return Firmness(up, down, probability, resampled, lowest, highest, steps, question_q(shown, compared))


def _results(
    survey: Survey, settings: Settings, waves: Sequence[tuple[Wave, Organisations]], inputs: Mapping[str, Any]
) -> Results:
    """From counted waves to the tables and their provenance, with all that must be withheld."""
    tables = _Tables(survey, settings, waves, provenance(survey, settings, inputs, [w for w, _ in waves]))
    results = protect(tables.build, settings.disclosure, survey.method.minimum_base)
    firmness = tables.firmness()
    return replace(results, tables={**results.tables, "firmness": firmness})


class _Tables:
    """Makes the tables of a run, again and again with more withheld; what does not depend on that is made once."""

    def __init__(
        self,
        survey: Survey,
        settings: Settings,
        waves: Sequence[tuple[Wave, Organisations]],
        source: Mapping[str, Any],
    ) -> None:
        self.survey, self.settings, self.source = survey, settings, source
        self.waves = [w for w, _ in waves]
        self.codes = {w.year: tuple(o.code for o in own) for w, own in waves}
        self.names = {o.code: o.name for _, own in reversed(waves) for o in own}
        self.groups: tuple[str | None, ...] = (None, *(g.code for g in survey.groups))
        self.compared: dict[tuple[int, str | None], _Compared] = {}

    @cached_property
    def scored(self) -> dict[tuple[int, str | None], Scores]:
        return {key: scores for w in self.waves for key, scores in _scored(w, self.survey, self.groups).items()}

    @cached_property
    def common(self) -> dict[tuple[int, str | None], Scores]:
        """Earlier waves to this year's mix, so that a change of respondents is no change of score."""
        if self.survey.method.change_reference != "common":
            return {}
        now = self.waves[0].year
        shares = {g: self.scored[now, g].weights.shares for g in self.groups}
        return {
            key: scores for w in self.waves[1:] for key, scores in _scored(w, self.survey, self.groups, shares).items()
        }

    @cached_property
    def people(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Who took part in every wave, and who they were in this one: the tables `fieldwork` and `profile`."""
        fieldwork: list[pl.DataFrame] = []
        profiles: list[pl.DataFrame] = []
        for wave in self.waves:
            assert wave.fieldwork is not None
            codes = self.codes[wave.year]
            fieldwork.append(
                assemble.fieldwork(self.survey, self.survey.method, wave.year, self.names, codes, wave.fieldwork)
            )
            if wave is self.waves[0]:
                profiles = _profiles(self.survey, wave, self.names, codes, self.settings.disclosure.minimum_count)
        return pl.concat(fieldwork), pl.concat(profiles) if profiles else empty("profile")

    def build(self, further: Further) -> Results:
        """Every table but `firmness`, which nothing else depends on and which takes longest."""
        survey, method = self.survey, self.survey.method
        scores, measures, changes = [], [], []
        year = self.waves[0].year
        withheld: dict[tuple[object, object], list[tuple[str, str]]] = {}
        for when, group, organisation, measure in further.scores:
            withheld.setdefault((when, group), []).append((str(organisation), str(measure)))
        for group in self.groups:
            label = group or ALL
            earlier: list[tuple[int, Estimates]] = []
            for wave in self.waves:
                key = (wave.year, group)
                here = _compare(self.scored[key], survey, group, withheld.get((wave.year, label), ()))
                self.compared[key] = here
                scores.append(
                    assemble.scores(
                        survey,
                        method,
                        wave.year,
                        label,
                        self.names,
                        here.estimates,
                        here.compared,
                        effective=here.scored.effective,
                        not_compared=here.not_compared,
                    )
                )
                measures.append(
                    assemble.measures_table(survey, method, wave.year, label, here.estimates, here.compared)
                )
                if wave.year != year and not here.not_compared:
                    then = here.estimates
                    if key in self.common:
                        then = _compare(self.common[key], survey, group, withheld.get((wave.year, label), ())).estimates
                    earlier.append((wave.year, then))
                    now = self.compared[year, group].estimates
                    changes += [self._changes(label, (year, now), (wave.year, then))]
            # Earlier years among themselves, the later one of each pair first, as waves are.
            changes += [self._changes(label, now, then) for now, then in combinations(earlier, 2)]
        fieldwork, profile = self.people
        return Results(
            {
                "scores": pl.concat(scores),
                "firmness": empty("firmness"),
                "changes": pl.concat(changes) if changes else empty("changes"),
                "fieldwork": fieldwork,
                "profile": profile,
                "measures": pl.concat(measures),
                "disclosure": empty("disclosure"),
            },
            self.source,
        )

    def _changes(self, label: str, now: tuple[int, Estimates], then: tuple[int, Estimates]) -> pl.DataFrame:
        (year_now, later), (year_then, earlier) = now, then
        # What cannot be compared with this year cannot be compared with another one either.
        years = {year_then} if year_now == self.waves[0].year else {year_then, year_now}
        return changes_table(
            self.survey,
            label,
            self.names,
            later,
            earlier.select(later.organisations),
            (year_then, year_now),
            {x.organisation: x.reason for x in self.settings.not_comparable if x.year in years},
        )

    def firmness(self) -> pl.DataFrame:
        """How firm this year's bands are, by what `build` compared last."""
        wave, rate = self.waves[0], self.survey.method.false_discovery
        tables = []
        for group in self.groups:
            here = self.compared[wave.year, group]
            if here.not_compared:
                continue
            firm = _firmness(wave, self.survey, group, here)
            tables.append(
                assemble.firmness(
                    self.survey, wave.year, group or ALL, self.names, here.estimates, here.compared, firm, rate
                )
            )
        return pl.concat(tables)


def _profiles(
    survey: Survey, wave: Wave, names: Mapping[str, str], codes: tuple[str, ...], minimum_count: int
) -> list[pl.DataFrame]:
    assert wave.counts is not None and wave.fieldwork is not None
    tables = []
    withheld = assemble.too_few(survey.method, wave.fieldwork.completed)
    for demographic in survey.demographics:
        chosen, base = profile(wave.counts, demographic)
        # A characteristic that the files do not have is left out rather than shown as withheld.
        if demographic.show and base.any():
            tables += [
                assemble.profile(
                    survey,
                    survey.method,
                    wave.year,
                    group or ALL,
                    names,
                    codes,
                    demographic,
                    chosen[g],
                    base[g],
                    withheld[g],
                    minimum_count,
                )
                for g, group in enumerate((None, *(g.code for g in survey.groups)))
            ]
    return tables


def changes_table(
    survey: Survey,
    group: str,
    names: Mapping[str, str],
    now: Estimates,
    then: Estimates,
    years: tuple[int, int],
    incomparable: Mapping[str, str],
) -> pl.DataFrame:
    """Test every measure that compares with the earlier year; whatever does not carries its reason."""
    method = survey.method
    tested = change(
        (now.value, now.standard_error, now.n),
        (then.value, then.standard_error, then.n),
        test=method.change_test,
        level=method.change_level,
    )
    return assemble.changes(
        survey,
        group,
        names,
        now,
        then,
        years,
        tested,
        incomparable,
        method.change_test,
        not_comparable={**not_comparable(survey, years[1]), **not_comparable(survey, years[0])},
    )


def not_comparable(survey: Survey, year: int) -> dict[str, str]:
    """Measures that an earlier year cannot be compared on, each with its reason; none of the instrument's own year."""
    reasons: dict[str, str] = {}
    if year == survey.year:
        return reasons
    for question in survey.scored:
        if year not in question.comparable:
            reasons[question.code] = f"The question is new or was changed after {year}."
    for section in survey.sections:
        if any(q.code in reasons for q in survey.members(section.code)):
            reasons[section.code] = f"A question of this section is new or was changed after {year}."
    return reasons
