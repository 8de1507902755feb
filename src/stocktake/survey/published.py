"""Official workbooks in: their results recomputed, never copied."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stocktake.compare.estimates import Estimates, Floats, Ints, Measure, Status
from stocktake.compare.expected_range import ExpectedRange, banding, spread_from_limits, summary
from stocktake.problems import StocktakeError
from stocktake.rounding import round_values
from stocktake.survey.instrument import Demographic, DemographicOption, Question, Section, Survey, library, load
from stocktake.survey.scores import measures as measures_of
from stocktake.survey.workbooks import SECTION, History, Workbook


def infer_sections(measures: Sequence[str], value: Floats, tolerance: float = 1e-6) -> dict[str, tuple[str, ...]]:
    """Which questions each section is the mean of, from the scores alone; sections not found are left out.

    `value` has shape (organisations, measures). Solved as least squares over organisations with
    every score, then each section is checked as the plain mean of its questions in every organisation.
    """
    questions = [i for i, c in enumerate(measures) if not SECTION.fullmatch(c)]
    whole = ~np.isnan(value).any(axis=1)
    found: dict[str, tuple[str, ...]] = {}
    for s, code in enumerate(measures):
        if s in questions or whole.sum() < len(questions):
            continue
        share, *_ = np.linalg.lstsq(value[whole][:, questions], value[whole, s], rcond=None)
        members = [q for q, w in zip(questions, share, strict=True) if w > 1e-3]
        gap = np.abs(value[:, s] - value[:, members].mean(axis=1)) if members else np.array([np.inf])
        if np.nan_to_num(gap).max() <= tolerance:
            found[code] = tuple(measures[q] for q in members)
    return found


def instrument_of(workbook: Workbook, given: str | Path | None = None) -> Survey:
    """The instrument for a workbook: the one given, else the library's with the same questions, else one inferred.

    Raises StocktakeError where the instrument lacks a measure of the workbook or has another one.
    """
    if given is not None:
        survey = load(given)
        _check_instrument(survey, workbook)
        return survey
    for code in library():
        survey = load(code)
        if survey.year == workbook.year and {m.code for m in measures_of(survey)} == set(workbook.measures):
            return survey
    return _inferred(workbook)


def _check_instrument(survey: Survey, workbook: Workbook) -> None:
    ours, theirs = {m.code for m in measures_of(survey)}, set(workbook.measures)
    problems = [f"{survey.code}: {c} is scored in the workbook but not here." for c in sorted(theirs - ours)]
    problems += [f"{survey.code}: {c} is scored here but not in the workbook." for c in sorted(ours - theirs)]
    if problems:
        raise StocktakeError(problems)


def _inferred(workbook: Workbook) -> Survey:
    sections = _stated_sections(workbook) or infer_sections(workbook.measures, workbook.value)
    named = [c for c in workbook.measures if SECTION.fullmatch(c)]
    owner = {q: s for s, members in sections.items() for q in members}
    loose = [c for c in workbook.measures if not SECTION.fullmatch(c) and c not in owner]
    if len(sections) < len(named) or loose:
        lost = [*(s for s in named if s not in sections), *loose]
        raise StocktakeError(
            f"{workbook.file}: which questions make up which section cannot be read from the scores "
            f"({', '.join(lost)}); give an instrument file with --instrument."
        )
    comparable = {
        code: {h.year: code for h in workbook.history if not np.isnan(h.value[:, j]).all()}
        for j, code in enumerate(workbook.measures)
    }
    code = re.sub(r"[^a-z0-9]+", "_", workbook.title.lower()).strip("_") or "workbook"
    return Survey(
        code=code,
        title=workbook.title,
        year=workbook.year,
        people="respondents",
        person="respondent",
        sections=tuple(Section(code=s, number=i) for i, s in enumerate(named, start=1)),
        questions=tuple(
            Question(code=q, section=owner[q], base="", comparable=comparable[q])
            for q in workbook.measures
            if q in owner
        ),
        demographics=tuple(
            Demographic(
                code=variable,
                title=variable.replace("_", " ").capitalize(),
                options=tuple(
                    DemographicOption(code=k, label=workbook.labels.get(f"{variable}{k}", f"{variable} {k}"))
                    for k in range(1, shares.shape[1] + 1)
                ),
            )
            for variable, shares in workbook.profile.items()
        ),
        inferred=(
            "Which questions make up each section is inferred from the published scores.",
            "Codes are shown in place of wording, which the workbook does not carry.",
        ),
    )


def _stated_sections(workbook: Workbook) -> dict[str, tuple[str, ...]]:
    """The sections that the workbook itself describes; none where one of them is not the mean of its questions."""
    known = set(workbook.measures)
    if not all({code, *members} <= known for code, members in workbook.sections.items()):
        return {}
    place = {code: i for i, code in enumerate(workbook.measures)}
    slack = 1e-6 if workbook.decimals is None else 10.0**-workbook.decimals
    for code, members in workbook.sections.items():
        gap = workbook.value[:, place[code]] - workbook.value[:, [place[m] for m in members]].mean(axis=1)
        if np.nanmax(np.abs(gap), initial=0.0) > slack:
            return {}
    return workbook.sections


def estimates_of(survey: Survey, workbook: Workbook) -> tuple[Estimates, ExpectedRange]:
    """The workbook's scores compared anew: average, lowest and highest from the scores; z, limits and bands from
    S, which the 95% limits give. The published band and z are not read.

    From rounded figures neither would come out as they were: a workbook that says that it is rounded gives back its own
    bands, z and limits, and no S. Raises StocktakeError where a score is shown whose S cannot be recovered.
    """
    measures = measures_of(survey)
    place = [workbook.measures.index(m.code) for m in measures]
    estimates = _estimates(
        measures, tuple(o.code for o in workbook.organisations), workbook.n[:, place], workbook.value[:, place]
    )
    count, centre, lowest, highest = summary(estimates.value)
    if workbook.decimals is not None:
        return estimates, _as_printed(workbook, place, count, centre, lowest, highest)
    spread = spread_from_limits(centre, workbook.low95[:, place], workbook.high95[:, place])
    # A score published without a band and without limits is one whose answers do not vary.
    bare = np.isnan(workbook.banded) & np.isnan(workbook.low95) & np.isnan(workbook.high95)
    shown = (estimates.status == Status.SHOWN) & ~bare[:, place]
    problems = [
        f"{workbook.file}: {measures[j].code} of {estimates.organisations[i]} has a score but its 95% limits are both "
        "clipped or blank, so that no band can be worked out."
        for i, j in zip(*np.nonzero(shown & ~(spread > 0)), strict=True)
    ]
    if problems:
        raise StocktakeError(problems)
    spread = np.where(shown, spread, np.nan)
    z, band, limits = banding(estimates.value, centre, spread)
    unknown = np.full(centre.shape, np.nan)
    return estimates, ExpectedRange(count, centre, lowest, highest, unknown, unknown, spread, z, band, limits)


def _as_printed(
    workbook: Workbook, place: list[int], count: Ints, centre: Floats, lowest: Floats, highest: Floats
) -> ExpectedRange:
    """The comparison as a rounded workbook prints it."""
    assert workbook.decimals is not None
    band = np.nan_to_num(workbook.banded[:, place]).astype(np.int64)
    limits = np.where((band > 0)[..., None], workbook.limits[:, place], np.nan)
    z = np.where(band > 0, workbook.z[:, place], np.nan)
    unknown = np.full(centre.shape, np.nan)
    average = round_values(centre, workbook.decimals)
    return ExpectedRange(
        count, average, lowest, highest, unknown, unknown, np.full(band.shape, np.nan), z, band, limits
    )


def _estimates(measures: tuple[Measure, ...], codes: tuple[str, ...], n: Floats, value: Floats) -> Estimates:
    n = n.copy()
    for j, measure in enumerate(measures):
        if measure.parts:
            n[:, j] = n[:, list(measure.parts)].min(axis=1)
    hidden = np.isnan(value)
    status = np.where(hidden, Status.WITHHELD_BASE, Status.SHOWN).astype(np.int8)
    sections = np.array([bool(m.parts) for m in measures])
    status[hidden & sections] = Status.WITHHELD_PART
    return Estimates(codes, measures, np.where(hidden, np.nan, n), value, np.full(value.shape, np.nan), status)


def history_estimates(survey: Survey, workbook: Workbook, history: History) -> tuple[Estimates, Floats]:
    """An earlier year's estimates and the imported verdicts, by the codes that the instrument compares."""
    measures = measures_of(survey)
    place = [workbook.measures.index(m.code) for m in measures]
    value = history.value[:, place]
    estimates = _estimates(measures, tuple(o.code for o in history.organisations), history.n[:, place], value)
    return estimates, history.verdict[:, place]
