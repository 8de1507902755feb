"""One run, readable as prose: what is read, computed, stored and told, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from stocktake.compare.change import change
from stocktake.compare.estimates import Estimates
from stocktake.compare.expected_range import ExpectedRange, expected_range, not_compared
from stocktake.compare.firmness import Firmness, distances, leave_one_out, question_q, steps_to_better
from stocktake.compare.suppress import suppress
from stocktake.organisations import Organisation, check_organisations, read_organisations
from stocktake.problems import BlockedError, StocktakeError, nearest
from stocktake.results import Results, assemble, sha256
from stocktake.results.schemas import empty
from stocktake.run.core import Run
from stocktake.run.provenance import provenance
from stocktake.run.settings import Settings, instrument_source, load_instrument, read_settings, with_settings
from stocktake.run.workbook import published
from stocktake.survey.engines import Progress
from stocktake.survey.fieldwork import profile
from stocktake.survey.instrument import Survey
from stocktake.survey.resample import band_probabilities
from stocktake.survey.scores import Scores, cell_respondents, score
from stocktake.survey.tables import Table, open_table
from stocktake.survey.wave import Wave, read_wave
from stocktake.survey.weights import national_shares

Organisations = tuple[Organisation, ...]


def benchmark(
    folder: Path | str | None = None,
    *,
    instrument: str | Path | Survey | None = None,
    responses: Any = None,
    sample: Any = None,
    organisations: Any = None,
    earlier: Mapping[int, Mapping[str, Any]] | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Run:
    """Benchmark a survey: from a folder with survey.yaml, or from tables in memory.

    In memory: `instrument` (library code, file or Survey), `responses` and optionally `sample` (paths,
    polars or pandas frames, Arrow readers), `organisations` (a mapping of code to name, a frame with
    code and name, or a path; by default the codes found), and `earlier` waves by year, each with its own
    responses, sample and organisations. Raises BlockedError where findings stand in the way, and
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
    chosen = Settings(instrument=name, settings=dict(settings or {}))
    survey = with_settings(instrument, chosen) if isinstance(instrument, Survey) else load_instrument(chosen, None)
    waves = _waves_in_memory(survey, responses, sample, organisations, earlier or {}, progress)
    return results_of_waves(survey, chosen, waves, None)


def results_of_waves(
    survey: Survey, settings: Settings, waves: Sequence[tuple[Wave, Organisations]], folder: Path | None
) -> Run:
    """From counted waves to a run; raises BlockedError with every finding that stands in the way."""
    findings = pl.concat([w.findings for w, _ in waves])
    blocked = findings.filter(pl.col("blocks"))
    if blocked.height:
        raise BlockedError([finding_sentence(f) for f in blocked.iter_rows(named=True)])
    inputs = {} if folder is None else inputs_of(folder, settings)
    results = _results(survey, settings, waves, inputs)
    return Run(survey, results, findings, settings, folder, tuple(w for w, _ in waves))


def inputs_of(folder: Path, settings: Settings) -> dict[str, str]:
    """The SHA-256 of every file that a folder's results rest on."""
    names = [settings.organisations]
    for wave in settings.waves:
        names += [n for n in (wave.responses, wave.sample, wave.organisations) if n is not None]
    if (folder / settings.instrument).is_file():
        names.append(settings.instrument)
    return {name: sha256(folder / name) for name in names}


def finding_sentence(finding: Mapping[str, Any]) -> str:
    """A finding as one clear sentence: file, row, column, value, what was expected, what was done."""
    where = [finding["file"]]
    if finding["row"]:
        where.append(f"row {finding['row']}")
    if finding["column"]:
        where.append(f"column {finding['column']}")
    value = f" found {finding['value']!r}," if finding["value"] else ""
    expected = str(finding["expected"]).rstrip(".")
    return f"{', '.join(where)}: {finding['check']};{value} expected {expected}{'' if expected.endswith('?') else '.'}"


def waves_of_folder(
    folder: Path, settings: Settings, survey: Survey, progress: Progress | None = None
) -> list[tuple[Wave, Organisations]]:
    """Read, check and count every wave of a folder, this year's first; raises StocktakeError for unreadable files."""
    if not settings.waves:
        raise StocktakeError(f"{folder / 'survey.yaml'}: no waves; expected at least year {survey.year}.")
    years = [w.year for w in settings.waves]
    for year in sorted({y for y in years if years.count(y) > 1}):
        raise StocktakeError(f"{folder / 'survey.yaml'}: {years.count(year)} waves of {year}; expected one.")
    if max(years) > survey.year:
        raise StocktakeError(
            f"{folder / 'survey.yaml'}: a wave of {max(years)}, after the instrument's year {survey.year}."
        )
    if survey.year not in years:
        raise StocktakeError(f"{folder / 'survey.yaml'}: no wave of {survey.year}, the instrument's year.")
    current = read_organisations(folder / settings.organisations)
    _check_codes(folder, settings, [o.code for o in current])
    jobs = []
    problems: list[str] = []
    for files in sorted(settings.waves, key=lambda w: -w.year):
        own, opened = current, []
        for name in (files.organisations, files.responses, files.sample):
            try:
                if name is not None and name == files.organisations:
                    own = read_organisations(folder / name)
                elif name is not None:
                    opened.append(open_table(folder / name, name))
            except StocktakeError as error:
                problems.extend(error.problems)
        if not problems:
            jobs.append((files, own, opened[0], opened[1] if files.sample else None))
    if problems:
        raise StocktakeError(problems)
    return [
        (_wave(survey, files.year, own, responses, sample, files.expected_sample, progress), own)
        for files, own, responses, sample in jobs
    ]


def _check_codes(folder: Path, settings: Settings, codes: list[str]) -> None:
    """Contacts and reasons must belong to organisations of the list; a misspelt code would be ignored unsaid."""
    named = [("contacts", c) for c in settings.contacts] + [
        ("not_comparable", x.organisation) for x in settings.not_comparable
    ]
    unknown = [(field, code) for field, code in named if code not in codes]
    if unknown:
        raise StocktakeError(
            [
                f"{folder / 'survey.yaml'}, {field}: no organisation {code!r}.{nearest(code, codes)}"
                for field, code in unknown
            ]
        )


def _wave(
    survey: Survey,
    year: int,
    organisations: Organisations,
    responses: Table,
    sample: Table | None,
    expected_sample: int | None,
    progress: Progress | None,
) -> Wave:
    codes = tuple(o.code for o in organisations)
    return read_wave(
        survey, year, codes, responses, sample, survey.method, expected_sample=expected_sample, progress=progress
    )


def _waves_in_memory(
    survey: Survey,
    responses: Any,
    sample: Any,
    organisations: Any,
    earlier: Mapping[int, Mapping[str, Any]],
    progress: Progress | None,
) -> list[tuple[Wave, Organisations]]:
    jobs = [(survey.year, {"responses": responses, "sample": sample, "organisations": organisations})]
    jobs += [(year, dict(tables)) for year, tables in sorted(earlier.items(), reverse=True)]
    waves = []
    for year, tables in jobs:
        if tables.get("responses") is None:
            raise StocktakeError(
                f"earlier, {year}: no responses; expected a mapping with responses, and sample if there is one."
            )
        answers = open_table(tables["responses"], f"responses {year}")
        invited = open_table(tables["sample"], f"sample {year}") if tables.get("sample") is not None else None
        own = _organisations(tables.get("organisations", organisations), answers, survey)
        waves.append((_wave(survey, year, own, answers, invited, None, progress), own))
    return waves


def _organisations(given: Any, responses: Table, survey: Survey) -> Organisations:
    if isinstance(given, (str, Path)):
        return read_organisations(Path(given))
    if isinstance(given, Mapping):
        rows = [(str(c), str(n), "", "") for c, n in given.items()]
    elif given is not None:
        table = open_table(given, "organisations").frame()
        rows = [(str(r["code"]), str(r["name"]), "", "") for r in table.iter_rows(named=True)]
    else:
        column = survey.columns.organisation
        if column not in responses.columns:
            near = nearest(column, responses.columns)
            raise StocktakeError(f"{responses.name}: column {column!r} is missing.{near}")
        found = pl.concat([f.unique() for f in responses.batches((column,))])[column].cast(pl.String)
        rows = [(c, c, "", "") for c in sorted(found.drop_nulls().unique())]
    return check_organisations(rows, "organisations")


@dataclass(frozen=True)
class _Compared:
    """One wave and group on its way to the tables: suppressed estimates and their comparison."""

    estimates: Estimates
    compared: ExpectedRange
    scored: Scores
    not_compared: str = ""


def _compare(wave: Wave, survey: Survey, group: str | None, shares: Any = None) -> _Compared:
    assert wave.counts is not None
    method = survey.method
    if shares is None and group is not None and method.group_reference == "all":
        shares = national_shares(cell_respondents(wave.counts))
    reread = None if wave.counts.pairs is not None else wave.batches
    scored = score(wave.counts, wave.survey, method, group=group, shares=shares, reread=reread)
    rules = next((g for g in survey.groups if g.code == group), None)
    left_out = rules.left_out if rules is not None else ()
    if rules is not None and rules.report == "questions":
        left_out = (*left_out, *(s.code for s in survey.sections))
    shown = suppress(scored.estimates, method.minimum_base, left_out)
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
    survey: Survey, settings: Settings, waves: Sequence[tuple[Wave, Organisations]], inputs: Mapping[str, str]
) -> Results:
    """From counted waves to the six tables and their provenance."""
    method = survey.method
    groups: tuple[str | None, ...] = (None, *(g.code for g in survey.groups))
    scores, firmness, measures, changes, fieldwork, profiles = [], [], [], [], [], []
    first, _ = waves[0]
    names = {o.code: o.name for _, own in reversed(waves) for o in own}
    for group in groups:
        label = group or assemble.ALL
        now = _compare(first, survey, group)
        for wave, _ in waves:
            here = now if wave is first else _compare(wave, survey, group)
            estimates = here.estimates
            scores.append(
                assemble.scores(
                    survey,
                    method,
                    wave.year,
                    label,
                    names,
                    estimates,
                    here.compared,
                    effective=here.scored.effective,
                    not_compared=here.not_compared,
                )
            )
            measures.append(assemble.measures_table(survey, method, wave.year, label, estimates, here.compared))
            if wave is first and not here.not_compared:
                firm = _firmness(wave, survey, group, here)
                firmness.append(
                    assemble.firmness(
                        survey, wave.year, label, names, estimates, here.compared, firm, method.false_discovery
                    )
                )
            if wave is not first and not here.not_compared:
                changes.append(_changes(survey, settings, label, names, first, now, wave, group, here))
    for wave, own in waves:
        assert wave.counts is not None and wave.fieldwork is not None
        codes = tuple(o.code for o in own)
        fieldwork.append(assemble.fieldwork(survey, method, wave.year, names, codes, wave.fieldwork))
        profiles += _profiles(survey, wave, names, codes)
    return Results(
        pl.concat(scores),
        pl.concat(firmness),
        pl.concat(changes) if changes else empty("changes"),
        pl.concat(fieldwork),
        pl.concat(profiles) if profiles else empty("profile"),
        pl.concat(measures),
        provenance(survey, settings, inputs, [w for w, _ in waves]),
    )


def _profiles(survey: Survey, wave: Wave, names: Mapping[str, str], codes: tuple[str, ...]) -> list[pl.DataFrame]:
    assert wave.counts is not None and wave.fieldwork is not None
    tables = []
    withheld = assemble.withheld_participation(survey.method, wave.fieldwork.completed)
    for demographic in survey.demographics:
        chosen, base = profile(wave.counts, demographic)
        # A characteristic that the files do not have is left out, not told as withheld.
        if demographic.show and base.any():
            for g, group in enumerate((None, *(g.code for g in survey.groups))):
                label = group or assemble.ALL
                tables.append(
                    assemble.profile(
                        survey,
                        survey.method,
                        wave.year,
                        label,
                        names,
                        codes,
                        demographic,
                        chosen[g],
                        base[g],
                        withheld[g],
                    )
                )
    return tables


def _changes(
    survey: Survey,
    settings: Settings,
    label: str,
    names: Mapping[str, str],
    first: Wave,
    now: _Compared,
    wave: Wave,
    group: str | None,
    here: _Compared,
) -> pl.DataFrame:
    then = here.estimates
    if survey.method.change_reference == "common":
        # Both waves to this year's mix, so that a change of respondents is no change of score.
        then = _compare(wave, survey, group, now.scored.weights.shares).estimates
    return changes_table(
        survey,
        label,
        names,
        now.estimates,
        then.select(now.estimates.organisations),
        (wave.year, first.year),
        {x.organisation: x.reason for x in settings.not_comparable if x.year == wave.year},
    )


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
        not_comparable=not_comparable(survey, years[0]),
    )


def not_comparable(survey: Survey, year: int) -> dict[str, str]:
    """Measures that an earlier year cannot be compared on, each with its reason."""
    reasons = {}
    for question in survey.scored:
        if year not in question.comparable:
            reasons[question.code] = f"The question is new or was changed after {year}."
    for section in survey.sections:
        if any(q.code in reasons for q in survey.members(section.code)):
            reasons[section.code] = f"A question of this section is new or was changed after {year}."
    return reasons
