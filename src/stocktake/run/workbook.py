"""A run from an official published workbook: the same tables, recomputed from its scores and limits."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from stocktake.compare.change import Change, Verdict
from stocktake.compare.estimates import Estimates
from stocktake.compare.expected_range import ExpectedRange, banding, summary
from stocktake.compare.firmness import Firmness, distances, question_q
from stocktake.files import sha256, write_file, writing
from stocktake.organisations import Organisation
from stocktake.results import ALL, Results, assemble
from stocktake.results.schemas import BANDS, empty
from stocktake.results.store import write_results
from stocktake.run.core import Run
from stocktake.run.provenance import provenance
from stocktake.run.settings import Settings, instrument_source, read_settings, with_settings
from stocktake.survey.fieldwork import Fieldwork
from stocktake.survey.instrument import Demographic, Survey
from stocktake.survey.published import estimates_of, history_estimates, instrument_of
from stocktake.survey.workbooks import Workbook, read_workbook

Organisations = tuple[Organisation, ...]

NOTICE = "Made with Stocktake from published figures. Not an official report."


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
    chosen = settings or Settings(instrument=survey.code, workbook=path.name, notice=NOTICE)
    survey = with_settings(survey, chosen)
    results = _published_results(survey, book, chosen, sha256(path))
    return Run(survey, results, pl.DataFrame(), chosen, folder)


NOT_PUBLISHED = f"effective_base {assemble.INTERVAL}"
# Without answers or standard errors nothing can be resampled, and no organisation can be left out.
FIRMNESS_NOT_PUBLISHED = (
    " ".join(f"p_{b}" for b in BANDS)
    + " p_band p_outside probability_method left_out_lowest left_out_highest survives steps_to_better"
)
NOT_PUBLISHED_THEN = f"{NOT_PUBLISHED} {assemble.BANDING}"


def _published_results(survey: Survey, book: Workbook, settings: Settings, digest: str) -> Results:
    method = survey.method
    now, compared = estimates_of(survey, book)
    names = {o.code: o.name for h in book.history for o in h.organisations}
    names |= {o.code: o.name for o in book.organisations}
    every = ALL
    never = NOT_PUBLISHED if book.decimals is None else f"{NOT_PUBLISHED} spread"
    scores = [assemble.scores(survey, method, book.year, every, names, now, compared, never)]
    measures = [
        assemble.measures_table(survey, method, book.year, every, now, compared, "phi tau2 tau winsorise percentile")
    ]
    blank = np.full(now.value.shape, np.nan)
    up, down = distances(now.value, compared)
    unknown = np.zeros(now.value.shape, dtype=np.int64)
    firm = Firmness(
        up,
        down,
        np.full((*now.value.shape, 7), np.nan),
        unknown.astype(bool),
        unknown,
        unknown,
        blank,
        question_q(now, compared),
    )
    firmness = assemble.firmness(
        survey, book.year, every, names, now, compared, firm, method.false_discovery, FIRMNESS_NOT_PUBLISHED
    )
    changes = []
    earlier: list[tuple[int, Estimates]] = []
    stated = {
        **book.incomparable,
        **{x.organisation: x.reason for x in settings.not_comparable},
    }
    for history in book.history:
        then, verdict = history_estimates(survey, book, history)
        count, centre, lowest, highest = summary(then.value)
        nan_table = np.full(then.value.shape, np.nan)
        z, band, limits = banding(then.value, centre, nan_table)
        nan_per_measure = np.full(centre.shape, np.nan)
        past = ExpectedRange(
            count, centre, lowest, highest, nan_per_measure, nan_per_measure, nan_table, z, band, limits
        )
        rows = assemble.scores(survey, method, history.year, every, names, then, past, NOT_PUBLISHED_THEN)
        scores.append(_unpublished(rows, "score"))
        measures.append(
            assemble.measures_table(
                survey, method, history.year, every, then, past, "phi tau2 tau winsorise percentile"
            )
        )
        changes.append(_imported_changes(survey, names, now, then, verdict, (history.year, book.year), stated))
        earlier.append((history.year, then))
    for (later, one), (before, other) in combinations(earlier, 2):
        # The workbook tests no two earlier years against each other.
        unknown_verdicts = np.full(other.value.shape, np.nan)
        rows = _imported_changes(survey, names, one, other, unknown_verdicts, (before, later), stated)
        untested = pl.col("status") == "not banded"
        changes.append(
            rows.with_columns(
                status=pl.when(untested).then(pl.lit("not published")).otherwise("status"),
                reason=pl.when(untested)
                .then(pl.lit(f"No test between {before} and {later} is published."))
                .otherwise("reason"),
                not_published=pl.when(untested)
                .then(pl.lit("statistic critical lower upper verdict"))
                .otherwise("not_published"),
            )
        )
    return Results(
        {
            "scores": pl.concat(scores),
            "firmness": firmness,
            "changes": pl.concat(changes) if changes else empty("changes"),
            "fieldwork": _published_fieldwork(survey, book, names),
            "profile": _published_profile(survey, book, names),
            "measures": pl.concat(measures),
            "disclosure": empty("disclosure"),
        },
        provenance(survey, settings, {"workbook": {"name": book.file, "sha256": digest}}, []),
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
    years: tuple[int, int],
    stated: Mapping[str, str],
) -> pl.DataFrame:
    year = years[0]
    index = {c: i for i, c in enumerate(then.organisations)}
    aligned = then.select(now.organisations)
    signs = np.array(
        [verdict[index[c]] if c in index else np.full(len(now.measures), np.nan) for c in now.organisations]
    )
    verdicts = np.where(np.isnan(signs), int(Verdict.NONE), np.nan_to_num(signs)).astype(np.int64)
    blank = np.full(signs.shape, np.nan)
    imported = Change(now.value - aligned.value, blank, blank, blank, blank, verdicts)
    word = survey.organisation_word
    absent = {
        c: stated.get(c, f"The workbook has no {year} results for this {word}.")
        for c in now.organisations
        if c not in index
    }
    rows = assemble.changes(
        survey,
        ALL,
        names,
        now,
        aligned,
        years,
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
        .then(pl.lit("statistic critical lower upper"))
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
    survey: Survey,
    demographic: Demographic,
    book: Workbook,
    names: Mapping[str, str],
    codes: Sequence[str],
    shares: Any,
) -> pl.DataFrame:
    chosen = np.zeros(shares.shape, dtype=np.int64)
    base = np.full(len(codes), survey.method.minimum_base, dtype=np.int64)
    few = book.completed < survey.method.minimum_base
    base[few] = 0
    rows = assemble.profile(survey, survey.method, book.year, ALL, names, codes, demographic, chosen, base)
    national = book.national_profile.get(demographic.code, np.full(shares.shape[1], np.nan))
    return rows.with_columns(
        n=pl.lit(None, dtype=pl.Int64),
        percent=pl.when(pl.col("status") == "shown").then(assemble.nulls(shares)),
        national_percent=assemble.nulls(np.tile(national, len(codes))),
        not_published=pl.lit("n"),
    )


def published_folder(workbook: Path, folder: Path, instrument: str | None = None) -> Run:
    """Import a workbook into a folder: survey.yaml, the instrument used, and results/."""
    run = published(workbook, instrument=instrument)
    name = os.path.relpath(workbook.resolve(), folder.resolve()).replace(os.sep, "/")
    with writing(folder):
        settings = folder / "survey.yaml"
        if settings.exists():
            # A folder that is imported again keeps what its user has set, but for the workbook itself.
            kept = read_settings(folder)
            source = instrument or instrument_source(kept.instrument, folder)
            run = published(workbook, instrument=source, settings=kept, folder=folder)
        else:
            write_file(
                settings,
                "# Results of an official published workbook.\n"
                f"instrument: instrument.yaml\nworkbook: {json.dumps(name)}\n"
                f"notice: {json.dumps(run.settings.notice)}\n",
            )
            run = replace(run, settings=read_settings(folder), folder=folder)
            run = replace(run, results=replace(run.results, provenance=_provenance(run, workbook)))
        data = run.survey.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        write_file(folder / "instrument.yaml", yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110))
        write_results(run.results, folder / "results")
    return run


def _provenance(run: Run, workbook: Path) -> dict[str, Any]:
    """Where a new folder's results come from, by the settings that it has now."""
    source = {"workbook": {"name": workbook.name, "sha256": sha256(workbook)}}
    return provenance(run.survey, run.settings, source, [])
