"""One run, readable as prose: what is read, computed, stored and told, in order."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stocktake.compare.change import Change, Verdict, change
from stocktake.compare.estimates import Estimates
from stocktake.compare.expected_range import ExpectedRange, banding, expected_range, summary
from stocktake.compare.suppress import suppress
from stocktake.organisations import Organisation, check_organisations, read_organisations
from stocktake.problems import BlockedError, StocktakeError, nearest
from stocktake.results import Results, assemble, sha256
from stocktake.results.schemas import empty
from stocktake.survey.engines import Progress
from stocktake.survey.fieldwork import Fieldwork, profile
from stocktake.survey.instrument import Demographic, Method, Survey, load, read_yaml
from stocktake.survey.published import Workbook, estimates_of, history_estimates, instrument_of, read_workbook
from stocktake.survey.scores import Scores, score
from stocktake.survey.tables import Table, open_table
from stocktake.survey.wave import Wave, read_wave
from stocktake.survey.weights import national_shares

if TYPE_CHECKING:
    from stocktake.render.theme import Theme
    from stocktake.reports.model import Report

# What the figures depend on; the rest of the machine does not matter to them.
VERSIONS = ("stocktake", "polars", "numpy", "scipy", "typst")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class WaveFiles(_Part):
    """The files of one wave, relative to the folder."""

    year: int
    responses: str
    sample: str | None = None
    organisations: str | None = Field(None, description="the wave's own list, where it differs from this year's")
    expected_sample: int | None = None


class Incomparable(_Part):
    """An organisation that has no history, and the sentence printed in its place."""

    organisation: str
    year: int
    kind: Literal["merged", "excluded", "not comparable"]
    reason: str


class Settings(_Part):
    """survey.yaml: what belongs to one run."""

    instrument: str
    organisations: str = "organisations.csv"
    waves: tuple[WaveFiles, ...] = ()
    workbook: str | None = None
    not_comparable: tuple[Incomparable, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict, description="overrides of the instrument's method")
    contact: str = Field("", description="how readers reach the trusts' survey lead; left out where empty")
    contacts: dict[str, str] = Field(default_factory=dict, description="the same for one organisation, by code")
    theme: str | None = None


@dataclass(frozen=True)
class Run:
    """A finished run: its instrument, results and findings; `report(code)` tells one organisation's story."""

    survey: Survey
    results: Results
    findings: pl.DataFrame
    settings: Settings
    folder: Path | None = None
    counted: tuple[Wave, ...] = field(default=(), repr=False)

    @property
    def scores(self) -> pl.DataFrame:
        return self.results.scores

    @property
    def changes(self) -> pl.DataFrame:
        return self.results.changes

    @property
    def fieldwork(self) -> pl.DataFrame:
        return self.results.fieldwork

    @property
    def profile(self) -> pl.DataFrame:
        return self.results.profile

    @property
    def measures(self) -> pl.DataFrame:
        return self.results.measures

    @cached_property
    def organisations(self) -> dict[str, str]:
        """Code and name of every organisation of this wave, in the order of the scores."""
        now = self.scores.filter((pl.col("year") == self.survey.year) & (pl.col("group") == assemble.ALL))
        pairs = now.select("organisation", "organisation_name").unique(maintain_order=True)
        return dict(pairs.iter_rows())

    @cached_property
    def theme(self) -> Theme:
        """The reader's own logo, fonts and colours, or the plain ones."""
        from stocktake.render.theme import Theme, load_theme

        if self.settings.theme is None:
            return Theme()
        return load_theme((self.folder or Path()) / self.settings.theme)

    def report(self, organisation: str) -> Told:
        """The benchmark report of one organisation; raises StocktakeError for an unknown code."""
        from stocktake.reports.trust_benchmark import trust_benchmark

        if organisation not in self.organisations:
            known = list(self.organisations)
            raise StocktakeError(f"no organisation {organisation!r} in these results.{nearest(organisation, known)}")
        contact = self.settings.contacts.get(organisation, self.settings.contact)
        return Told(trust_benchmark(self.results, self.survey, organisation, contact=contact), self)

    def write(self, folder: Path | str) -> None:
        """Write the results tables to a folder."""
        self.results.write(Path(folder))

    def _repr_html_(self) -> str:
        from stocktake.render.notebook import run_html

        return run_html(self.survey, self.results)


@dataclass(frozen=True)
class Told:
    """A report as a value, with ways to write it."""

    report: Report
    run: Run

    def write_pdf(self, path: Path | str) -> Path:
        """Write the report as an accessible PDF (PDF/UA-1)."""
        from stocktake.render.pdf import write_pdf

        return write_pdf(self.report, Path(path), self.run.theme)

    def _repr_html_(self) -> str:
        from stocktake.render.notebook import report_html

        return report_html(self.report)


def read_settings(folder: Path) -> Settings:
    """Read survey.yaml; raises StocktakeError with file, line and field of every problem."""
    path = folder / "survey.yaml"
    if not path.is_file():
        raise StocktakeError(f"{path}: no such file; `stocktake new INSTRUMENT DIR` makes one.")
    data, lines = read_yaml(path.read_text("utf-8"), str(path))
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise StocktakeError(
            [
                f"{path}, line {lines.get(tuple(e['loc']), 1)}, {'.'.join(map(str, e['loc'])) or 'file'}: "
                f"{e['msg'][0].lower()}{e['msg'][1:]}."
                for e in error.errors()
            ]
        ) from None


def load_instrument(settings: Settings, folder: Path | None) -> Survey:
    """The run's instrument: a library code, or a file beside survey.yaml, with the run's own settings laid over it."""
    local = None if folder is None else folder / settings.instrument
    survey = load(local if local is not None and local.is_file() else settings.instrument)
    if not settings.settings:
        return survey
    unknown = sorted(set(settings.settings) - set(Method.model_fields))
    if unknown:
        near = nearest(unknown[0], list(Method.model_fields))
        raise StocktakeError(f"survey.yaml, settings: no setting {unknown[0]!r}.{near}")
    try:
        method = Method.model_validate({**survey.method.model_dump(), **settings.settings})
    except ValidationError as error:
        raise StocktakeError(
            [f"survey.yaml, settings.{e['loc'][0]}: {e['msg'].lower()}." for e in error.errors()]
        ) from None
    return survey.model_copy(update={"method": method})


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
            return published(path / chosen.workbook, instrument=chosen.instrument, settings=chosen, folder=path)
        survey = load_instrument(chosen, path)
        waves = waves_of_folder(path, chosen, survey, progress)
        paths = {f.year: [p for p in (f.responses, f.sample) if p] for f in chosen.waves}
        inputs = {p: sha256(path / p) for ps in paths.values() for p in ps}
        inputs[chosen.organisations] = sha256(path / chosen.organisations)
    else:
        if instrument is None or responses is None:
            raise StocktakeError("benchmark needs a folder, or an instrument and responses.")
        chosen = Settings(instrument=str(instrument), settings=dict(settings or {}))
        survey = instrument if isinstance(instrument, Survey) else load_instrument(chosen, None)
        waves, path = _waves_in_memory(survey, responses, sample, organisations, earlier or {}, progress), None
        inputs = {}
    findings = pl.concat([w.findings for w, _ in waves])
    blocked = [w for w, _ in waves if w.blocked]
    if blocked:
        raise BlockedError([finding_sentence(f) for w in blocked for f in w.findings.iter_rows(named=True) if f["blocks"]])
    results = _results(survey, chosen, waves, inputs)
    return Run(survey, results, findings, chosen, path, tuple(w for w, _ in waves))


def finding_sentence(finding: Mapping[str, Any]) -> str:
    """A finding as one clear sentence: file, row, column, value, what was expected, what was done."""
    where = [finding["file"]]
    if finding["row"]:
        where.append(f"row {finding['row']}")
    if finding["column"]:
        where.append(f"column {finding['column']}")
    value = f" found {finding['value']!r}," if finding["value"] else ""
    return f"{', '.join(where)}: {finding['check']};{value} expected {finding['expected'].rstrip('.')}."


Organisations = tuple[Organisation, ...]


def waves_of_folder(
    folder: Path, settings: Settings, survey: Survey, progress: Progress | None = None
) -> list[tuple[Wave, Organisations]]:
    """Read, check and count every wave of a folder, this year's first; raises StocktakeError for unreadable files."""
    if not settings.waves:
        raise StocktakeError(f"{folder / 'survey.yaml'}: no waves; expected at least year {survey.year}.")
    years = [w.year for w in settings.waves]
    if survey.year not in years:
        raise StocktakeError(f"{folder / 'survey.yaml'}: no wave of {survey.year}, the instrument's year.")
    current = read_organisations(folder / settings.organisations)
    jobs = []
    problems: list[str] = []
    for files in sorted(settings.waves, key=lambda w: -w.year):
        try:
            own = read_organisations(folder / files.organisations) if files.organisations else current
            sample = open_table(folder / files.sample) if files.sample else None
            jobs.append((files, own, open_table(folder / files.responses), sample))
        except StocktakeError as error:
            problems.extend(error.problems)
    if problems:
        raise StocktakeError(problems)
    return [
        (_wave(survey, files.year, own, responses, sample, files.expected_sample, progress), own)
        for files, own, responses, sample in jobs
    ]


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


def _compare(wave: Wave, survey: Survey, group: str | None, shares: Any = None) -> _Compared:
    assert wave.counts is not None
    method = survey.method
    if shares is None and group is not None and method.group_reference == "all":
        shares = national_shares(_cells(wave, None))
    reread = None if wave.counts.pairs is not None else wave.batches
    scored = score(wave.counts, wave.survey, method, group=group, shares=shares, reread=reread)
    shown = suppress(scored.estimates, method.minimum_base)
    compared = expected_range(
        shown, winsorise=method.winsorise, percentile=method.percentile, zero_spread=method.zero_spread
    )
    return _Compared(shown, compared, scored)


def _cells(wave: Wave, group: str | None) -> Any:
    from stocktake.survey.scores import cell_respondents

    assert wave.counts is not None
    return cell_respondents(wave.counts, group)


def _results(
    survey: Survey, settings: Settings, waves: Sequence[tuple[Wave, Organisations]], inputs: Mapping[str, str]
) -> Results:
    """From counted waves to the five tables and their provenance."""
    method = survey.method
    groups: tuple[str | None, ...] = (None, *(g.code for g in survey.groups))
    scores, measures, changes, fieldwork, profiles = [], [], [], [], []
    first, organisations = waves[0]
    names = {o.code: o.name for _, own in reversed(waves) for o in own}
    for group in groups:
        label = group or assemble.ALL
        now = _compare(first, survey, group)
        for wave, _ in waves:
            here = now if wave is first else _compare(wave, survey, group)
            estimates = here.estimates
            scores.append(assemble.scores(survey, method, wave.year, label, names, estimates, here.compared))
            measures.append(assemble.measures_table(survey, method, wave.year, label, estimates, here.compared))
            if wave is not first:
                changes.append(_changes(survey, settings, label, names, first, now, wave, group, here))
    for wave, own in waves:
        assert wave.counts is not None and wave.fieldwork is not None
        codes = tuple(o.code for o in own)
        fieldwork.append(assemble.fieldwork(survey, method, wave.year, names, codes, wave.fieldwork))
        profiles += _profiles(survey, wave, names, codes)
    return Results(
        pl.concat(scores),
        pl.concat(changes) if changes else empty("changes"),
        pl.concat(fieldwork),
        pl.concat(profiles) if profiles else empty("profile"),
        pl.concat(measures),
        provenance(survey, settings, inputs, [w for w, _ in waves]),
    )


def _profiles(survey: Survey, wave: Wave, names: Mapping[str, str], codes: tuple[str, ...]) -> list[pl.DataFrame]:
    assert wave.counts is not None
    tables = []
    for demographic in survey.demographics:
        if demographic.show:
            chosen, base = profile(wave.counts, demographic)
            for g, group in enumerate((None, *(g.code for g in survey.groups))):
                label = group or assemble.ALL
                tables.append(
                    assemble.profile(
                        survey, survey.method, wave.year, label, names, codes, demographic, chosen[g], base[g]
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


def provenance(survey: Survey, settings: Settings, inputs: Mapping[str, str], waves: Sequence[Wave]) -> dict[str, Any]:
    """Where results come from: inputs with their SHA-256, the instrument, every setting, and versions."""
    import hashlib

    text = survey.model_dump_json()
    return {
        "survey": survey.code,
        "instrument_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "inputs": dict(sorted(inputs.items())),
        "settings": survey.method.model_dump(),
        "not_comparable": [x.model_dump() for x in settings.not_comparable],
        "waves": [
            {"year": w.year, "rows": w.rows, "set_aside": w.set_aside, "findings": w.findings.height} for w in waves
        ],
        "versions": {name: version(name) for name in VERSIONS},
        "python": platform.python_version(),
    }


def published(
    workbook: Path | str,
    *,
    instrument: str | Path | None = None,
    settings: Settings | None = None,
    folder: Path | None = None,
) -> Run:
    """Benchmark results from an official published workbook, recomputed from its scores and limits."""
    path = Path(workbook)
    book = read_workbook(path)
    survey = instrument_of(book, instrument)
    chosen = settings or Settings(instrument=survey.code, workbook=path.name)
    if chosen.settings:
        survey = load_instrument(chosen.model_copy(update={"instrument": str(instrument or survey.code)}), folder)
    results = _published_results(survey, book, chosen, sha256(path))
    return Run(survey, results, pl.DataFrame(), chosen, folder)


NOT_PUBLISHED = f"{assemble.INTERVAL}"
NOT_PUBLISHED_THEN = f"{assemble.INTERVAL} {assemble.BANDING}"


def _published_results(survey: Survey, book: Workbook, settings: Settings, digest: str) -> Results:
    method = survey.method
    now, compared = estimates_of(survey, book)
    names = {o.code: o.name for h in (*book.history, book) for o in h.organisations}
    every = assemble.ALL
    scores = [assemble.scores(survey, method, book.year, every, names, now, compared, NOT_PUBLISHED)]
    measures = [
        assemble.measures_table(survey, method, book.year, every, now, compared, "phi tau2 tau winsorise percentile")
    ]
    changes = []
    stated = {
        **book.incomparable,
        **{x.organisation: x.reason for x in settings.not_comparable},
    }
    for history in book.history:
        then, verdict = history_estimates(survey, book, history)
        count, centre, lowest, highest = summary(then.value)
        nothing = np.full(then.value.shape, np.nan)
        z, band, limits = banding(then.value, centre, nothing)
        hollow = np.full(centre.shape, np.nan)
        past = ExpectedRange(count, centre, lowest, highest, hollow, hollow, nothing, z, band, limits)
        rows = assemble.scores(survey, method, history.year, every, names, then, past, NOT_PUBLISHED_THEN)
        scores.append(_unpublished(rows, "score"))
        measures.append(
            assemble.measures_table(survey, method, history.year, every, then, past, "phi tau2 tau winsorise percentile")
        )
        changes.append(_imported_changes(survey, names, now, then, verdict, history.year, book, stated))
    return Results(
        pl.concat(scores),
        pl.concat(changes) if changes else empty("changes"),
        _published_fieldwork(survey, book, names),
        _published_profile(survey, book, names),
        pl.concat(measures),
        provenance(survey, settings, {book.file: digest}, []),
    )


def _unpublished(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """An earlier year's missing scores were never published; the workbook does not say why each is missing."""
    missing = pl.col(column).is_null()
    return rows.with_columns(
        status=pl.when(missing).then(pl.lit("not published")).otherwise("status"),
        reason=pl.when(missing).then(pl.lit("The workbook has no result for that year.")).otherwise("reason"),
        not_published=pl.when(missing).then(pl.lit("n score")).otherwise("not_published"),
    )


def _imported_changes(
    survey: Survey,
    names: Mapping[str, str],
    now: Estimates,
    then: Estimates,
    verdict: Any,
    year: int,
    book: Workbook,
    stated: Mapping[str, str],
) -> pl.DataFrame:
    index = {c: i for i, c in enumerate(then.organisations)}
    aligned = then.select(now.organisations)
    said = np.array(
        [verdict[index[c]] if c in index else np.full(len(now.measures), np.nan) for c in now.organisations]
    )
    verdicts = np.where(np.isnan(said), int(Verdict.NONE), np.nan_to_num(said)).astype(np.int64)
    blank = np.full(said.shape, np.nan)
    imported = Change(now.value - aligned.value, blank, blank, verdicts)
    word = survey.organisation_word
    absent = {
        c: stated.get(c, f"The workbook has no {year} results for this {word}.")
        for c in now.organisations
        if c not in index
    }
    rows = assemble.changes(
        survey,
        assemble.ALL,
        names,
        now,
        aligned,
        (year, book.year),
        imported,
        {c: r if r.endswith(".") else f"{r}." for c, r in absent.items()},
        "imported",
        not_comparable={
            m.code: "The workbook has no earlier section scores."
            if m.parts
            else f"The workbook has no {year} results for this question."
            for j, m in enumerate(now.measures)
            if np.isnan(then.value[:, j]).all()
        },
        then_status="not published",
    )
    sections = (pl.col("kind") == "section") & (pl.col("status") == "not comparable")
    return rows.with_columns(
        status=pl.when(sections).then(pl.lit("not published")).otherwise("status"),
        not_published=pl.when(pl.col("status") == "shown")
        .then(pl.lit("statistic critical"))
        .when(sections)
        .then(pl.lit("n_then score_then verdict"))
        .otherwise("not_published"),
    )


def _published_fieldwork(survey: Survey, book: Workbook, names: Mapping[str, str]) -> pl.DataFrame:
    tables = []
    waves: list[tuple[int, Organisations, Any, Any, float, float]] = [
        (book.year, book.organisations, book.completed, book.rate, book.national_rate, book.national_completed)
    ]
    for h in book.history:
        blank = np.full(len(h.organisations), np.nan)
        waves.append((h.year, h.organisations, h.completed, blank, np.nan, np.nan))
    for year, organisations, completed, rate, national_rate, national_completed in waves:
        codes = tuple(o.code for o in organisations)
        unknown = np.full((1, len(codes)), -1, dtype=np.int64)
        whole = np.nan_to_num(completed).astype(np.int64)[None, :]
        work = Fieldwork((None,), unknown, np.zeros_like(unknown), np.zeros_like(unknown), whole)
        rows = assemble.fieldwork(survey, survey.method, year, names, codes, work)
        tables.append(
            rows.with_columns(
                response_rate=pl.when(pl.col("completed").is_not_null()).then(assemble.nulls(rate)),
                national_response_rate=assemble.nulls(np.full(len(codes), national_rate)),
                national_completed=assemble.whole(np.full(len(codes), national_completed)),
                not_published=pl.lit(
                    "invited undeliverable died"
                    if year == book.year
                    else "invited undeliverable died response_rate national_response_rate national_completed"
                ),
            )
        )
    return pl.concat(tables)


def _published_profile(survey: Survey, book: Workbook, names: Mapping[str, str]) -> pl.DataFrame:
    """The profile as published, in percent; the bases of its questions are not in the workbook."""
    codes = tuple(o.code for o in book.organisations)
    tables = []
    for demographic in survey.demographics:
        shares = book.profile.get(demographic.code)
        if shares is None or not demographic.show or shares.shape[1] != len(demographic.options):
            continue
        tables.append(_profile_rows(survey, demographic, book, names, codes, shares))
    return pl.concat(tables) if tables else empty("profile")


def _profile_rows(
    survey: Survey, demographic: Demographic, book: Workbook, names: Mapping[str, str], codes: Sequence[str], shares: Any
) -> pl.DataFrame:
    chosen = np.zeros(shares.shape, dtype=np.int64)
    base = np.full(len(codes), survey.method.minimum_base, dtype=np.int64)
    few = book.completed < survey.method.minimum_base
    base[few] = 0
    rows = assemble.profile(
        survey, survey.method, book.year, assemble.ALL, names, codes, demographic, chosen, base
    )
    national = book.national_profile.get(demographic.code, np.full(shares.shape[1], np.nan))
    return rows.with_columns(
        n=pl.lit(None, dtype=pl.Int64),
        percent=pl.when(pl.col("status") == "shown").then(assemble.nulls(shares)),
        national_percent=assemble.nulls(np.tile(national, len(codes))),
        not_published=pl.lit("n"),
    )


def open_run(folder: Path | str) -> Run:
    """A run whose results were written before; raises StocktakeError where there are none."""
    path = Path(folder)
    settings = read_settings(path)
    results = Results.read(path / "results")
    if settings.workbook is not None:
        survey = instrument_of_results(settings, path)
    else:
        survey = load_instrument(settings, path)
    return Run(survey, results, pl.DataFrame(), settings, path)


def instrument_of_results(settings: Settings, folder: Path) -> Survey:
    """The instrument behind an imported workbook: the library's, or the file written beside the results."""
    written = folder / "results" / "instrument.yaml"
    return load(written) if written.is_file() else load_instrument(settings, folder)
