"""From estimates and comparisons to tidy rows; every null has its status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from stocktake.compare.change import Change, Verdict
from stocktake.compare.estimates import Estimates, Floats, Ints, Measure, Status, interval
from stocktake.compare.expected_range import SAME, ExpectedRange
from stocktake.compare.extremes import places
from stocktake.compare.firmness import FIRM, Firmness
from stocktake.results import ALL
from stocktake.results.schemas import BANDS, LIMITS, frame
from stocktake.survey.fieldwork import Fieldwork
from stocktake.survey.instrument import Demographic, Method, Survey

VERDICTS = {
    Verdict.INCREASE: "Increase",
    Verdict.DECREASE: "Decrease",
    Verdict.NO_CHANGE: "No change",
    Verdict.NONE: None,
}
INTERVAL = "standard_error lower_95 upper_95"
BANDING = "spread z band limits"


def reasons(survey: Survey, method: Method) -> dict[Status, str]:
    """What each status means, as sentences for readers."""
    few = f"Fewer than {method.minimum_base} {survey.people} gave an answer that counts."
    return {
        Status.SHOWN: "",
        Status.WITHHELD_BASE: few,
        Status.WITHHELD_PART: "A question of this section has no score to show.",
        Status.NO_DATA: f"No {survey.people} answered for this {survey.organisation_word}.",
        Status.LEFT_OUT: f"Left out for every {survey.organisation_word} in this service group.",
    }


STATUS_WORDS = {
    Status.SHOWN: "shown",
    Status.WITHHELD_BASE: "withheld",
    Status.WITHHELD_PART: "withheld",
    Status.NO_DATA: "no data",
    Status.LEFT_OUT: "left out",
}


def nulls(values: Floats) -> pl.Series:
    """A float column with null for NaN."""
    return pl.Series(np.asarray(values, dtype=np.float64).ravel()).fill_nan(None)


def whole(values: Floats) -> pl.Series:
    return nulls(values).cast(pl.Int64)


def _who(
    survey: Survey, year: int, group: str, codes: Sequence[str], names: Mapping[str, str], each: int
) -> dict[str, object]:
    repeated = np.repeat(np.array(codes, dtype=object), each)
    size = repeated.size
    return {
        "survey": [survey.code] * size,
        "year": [year] * size,
        "group": [group] * size,
        "organisation": pl.Series(repeated.tolist(), dtype=pl.String),
        "organisation_name": pl.Series([names[c] for c in repeated], dtype=pl.String),
    }


def _what(measures: Sequence[Measure], times: int) -> dict[str, object]:
    return {
        "measure": [m.code for m in measures] * times,
        "kind": [m.kind for m in measures] * times,
        "section": pl.Series([m.section for m in measures] * times, dtype=pl.String),
    }


def scores(
    survey: Survey,
    method: Method,
    year: int,
    group: str,
    names: Mapping[str, str],
    estimates: Estimates,
    compared: ExpectedRange,
    not_published: str = "",
    effective: Floats | None = None,
    not_compared: str = "",
) -> pl.DataFrame:
    """The `scores` rows of one wave and group from suppressed estimates and their comparison.

    `not_compared` says why the scores of a group are shown without a comparison, where they are.
    """
    measures, codes = estimates.measures, estimates.organisations
    lower, upper = interval(estimates, (0.0, 10.0))
    shape = estimates.value.shape
    reason_of = reasons(survey, method)
    status = estimates.status.ravel()
    words: Any = np.array([STATUS_WORDS[s] for s in Status], dtype=object)[status]
    why: Any = np.array([reason_of[s] for s in Status], dtype=object)[status]
    flat = (status == Status.SHOWN) & (compared.band.ravel() == 0)
    if BANDING not in not_published:
        words[flat] = "not banded"
        why[flat] = (
            not_compared
            or "The answers do not vary, or too few organisations can be compared, so no band can be given."
        )
    unknown = np.where(status == Status.SHOWN, not_published, "")
    band = np.where(compared.band == 0, np.nan, compared.band.astype(np.float64))
    questions = np.array([not m.parts for m in measures])
    place = places(np.where(questions, estimates.value, np.nan), compared.centre)

    def national(values: Floats) -> pl.Series:
        return nulls(np.broadcast_to(values, shape))

    return frame(
        "scores",
        {
            **_who(survey, year, group, codes, names, len(measures)),
            **_what(measures, len(codes)),
            "n": whole(estimates.n),
            "effective_base": nulls(
                np.full(shape, np.nan)
                if effective is None
                else np.where(estimates.status == Status.SHOWN, effective, np.nan)
            ),
            "score": nulls(estimates.value),
            "standard_error": nulls(estimates.standard_error),
            "lower_95": nulls(lower),
            "upper_95": nulls(upper),
            "national_average": national(compared.centre),
            "lowest": national(compared.lowest),
            "highest": national(compared.highest),
            "spread": nulls(np.where(np.isnan(compared.z), np.nan, compared.spread)),
            "z": nulls(compared.z),
            "band": whole(band),
            "place": whole(place),
            **{name: nulls(compared.limits[..., i]) for i, name in enumerate(LIMITS)},
            "status": words.tolist(),
            "reason": why.tolist(),
            "not_published": unknown.tolist(),
        },
    )


def firmness(
    survey: Survey,
    year: int,
    group: str,
    names: Mapping[str, str],
    estimates: Estimates,
    compared: ExpectedRange,
    firm: Firmness,
    false_discovery: float | None,
    not_published: str = "",
) -> pl.DataFrame:
    """The `firmness` rows of one wave and group: only what has a band has figures."""
    measures, codes = estimates.measures, estimates.organisations
    banded = compared.band > 0

    def shown(values: Any) -> pl.Series:
        return nulls(np.where(banded, np.asarray(values, dtype=np.float64), np.nan))

    place = np.clip(compared.band, 1, 7)[..., None] - 1
    own = np.take_along_axis(firm.probability, place, axis=-1)[..., 0]
    known = ~np.isnan(own) & banded
    outside = 1 - firm.probability[..., SAME - 1]
    left = (firm.lowest > 0) & banded
    survives = (firm.lowest == compared.band) & (firm.highest == compared.band)
    kind = np.where(firm.resampled, "resampled", "normal approximation").astype(object)
    stands = (firm.q <= (false_discovery or 0)) & (compared.band != SAME)
    judged = banded & ~np.isnan(firm.q) & (false_discovery is not None)
    reason_of = reasons(survey, survey.method)
    why = {**reason_of, Status.SHOWN: "There is no band."}
    words = {**STATUS_WORDS, Status.SHOWN: "not banded"}
    places = zip(banded.ravel(), estimates.status.ravel(), strict=True)
    states = [("shown", "") if b else (words[Status(int(s))], why[Status(int(s))]) for b, s in places]
    return frame(
        "firmness",
        {
            **_who(survey, year, group, codes, names, len(measures)),
            **_what(measures, len(codes)),
            "band": whole(np.where(banded, compared.band, np.nan)),
            "to_better": shown(firm.to_better),
            "to_worse": shown(firm.to_worse),
            "nearest_limit": shown(np.fmin(firm.to_better, firm.to_worse)),
            **{f"p_{name}": shown(firm.probability[..., b]) for b, name in enumerate(BANDS)},
            "p_band": shown(own),
            "p_outside": shown(outside),
            "firm": _flags((compared.band != SAME) & (outside >= FIRM), known),
            "probability_method": pl.Series(np.where(known, kind, np.array(None)).ravel().tolist(), dtype=pl.String),
            "left_out_lowest": whole(np.where(left, firm.lowest, np.nan)),
            "left_out_highest": whole(np.where(left, firm.highest, np.nan)),
            "survives": _flags(survives, left),
            "steps_to_better": whole(np.where(banded, firm.steps, np.nan)),
            "q_value": shown(firm.q),
            "stands": _flags(stands, judged),
            "stands_at_5": _flags((firm.q <= 0.05) & (compared.band != SAME), banded & ~np.isnan(firm.q)),
            "status": [s for s, _ in states],
            "reason": [r for _, r in states],
            "not_published": np.where(banded, not_published, "").ravel().tolist(),
        },
    )


def _flags(values: Any, known: Any) -> pl.Series:
    """A column of yes and no, null where not known."""
    return pl.Series(np.where(known, values, np.array(None)).ravel().tolist(), dtype=pl.Boolean)


def measures_table(
    survey: Survey,
    method: Method,
    year: int,
    group: str,
    estimates: Estimates,
    compared: ExpectedRange,
    not_published: str = "",
) -> pl.DataFrame:
    """The `measures` rows of one wave and group: what was compared, and how."""
    measures = estimates.measures
    withheld = np.isin(estimates.status, (Status.WITHHELD_BASE, Status.WITHHELD_PART)).sum(axis=0)
    size = len(measures)
    reference = "all respondents" if group == ALL or method.group_reference == "all" else "the group's respondents"
    known = not not_published
    return frame(
        "measures",
        {
            "survey": [survey.code] * size,
            "year": [year] * size,
            "group": [group] * size,
            **_what(measures, 1),
            "position": list(range(size)),
            "text": [survey.label(m.code) for m in measures],
            "parts": [" ".join(measures[p].code for p in m.parts) for m in measures],
            "organisations": compared.organisations.tolist(),
            "withheld": withheld.tolist(),
            "centre": nulls(compared.centre),
            "lowest": nulls(compared.lowest),
            "highest": nulls(compared.highest),
            "phi": nulls(compared.phi),
            "tau2": nulls(compared.tau2),
            "tau": nulls(np.sqrt(compared.tau2)),
            "minimum_base": [method.minimum_base] * size,
            "winsorise": [method.winsorise if known else None] * size,
            "percentile": [method.percentile if known else None] * size,
            "standard_error": [method.standard_error if known else None] * size,
            "correction": [method.correction if known else None] * size,
            "cap": [method.cap if known else None] * size,
            "reference": [reference] * size,
            "status": ["shown" if known else "not published"] * size,
            "reason": ["" if known else "The workbook does not carry the method's inner figures."] * size,
            "not_published": [not_published] * size,
        },
    )


def changes(
    survey: Survey,
    group: str,
    names: Mapping[str, str],
    now: Estimates,
    then: Estimates,
    years: tuple[int, int],
    tested: Change,
    incomparable: Mapping[str, str],
    test: str,
    *,
    not_comparable: Mapping[str, str],
    then_status: str = "withheld",
    not_published: Sequence[Sequence[str]] | None = None,
) -> pl.DataFrame:
    """The `changes` rows of one group: both waves side by side (years = then, now) and the verdict.

    `then` must have the organisations and measures of `now`. `incomparable` gives, by
    organisation, why it has no earlier wave; `not_comparable`, by measure, why it is not compared.
    """
    measures, codes = now.measures, now.organisations
    shape = (len(codes), len(measures))
    status = np.full(shape, "shown", dtype=object)
    why = np.full(shape, "", dtype=object)
    hidden_now, hidden_then = now.status != Status.SHOWN, then.status != Status.SHOWN
    word = survey.organisation_word
    status[hidden_then], why[hidden_then] = then_status, f"There is no score to show for {years[0]}."
    status[then.status == Status.NO_DATA] = "no data"
    why[then.status == Status.NO_DATA] = f"This {word} has no results for {years[0]}."
    status[hidden_now], why[hidden_now] = "withheld", f"There is no score to show for {years[1]}."
    for i, code in enumerate(codes):
        if code in incomparable:
            status[i], why[i] = "not comparable", incomparable[code]
    for j, measure in enumerate(measures):
        if measure.code in not_comparable:
            status[:, j], why[:, j] = "not comparable", not_comparable[measure.code]
    untested = (status == "shown") & (tested.verdict == Verdict.NONE)
    status[untested], why[untested] = "not banded", "The answers of both years do not vary, so no test can be made."
    # Where a year has nothing to show, its base is not shown either, nor the difference.
    both = np.isin(status, ("shown", "not banded"))
    verdict = [
        VERDICTS[Verdict(int(v))] if b else None for v, b in zip(tested.verdict.ravel(), both.ravel(), strict=True)
    ]

    def shown(values: Floats) -> pl.Series:
        return nulls(np.where(both, values, np.nan))

    comparable = np.array([m.code not in not_comparable for m in measures])
    mine = np.array([c not in incomparable for c in codes])[:, None] & comparable
    return frame(
        "changes",
        {
            "survey": [survey.code] * (shape[0] * shape[1]),
            "group": [group] * (shape[0] * shape[1]),
            "organisation": np.repeat(np.array(codes, dtype=object), shape[1]).tolist(),
            "organisation_name": [names[c] for c in codes for _ in measures],
            **_what(measures, len(codes)),
            "year_then": [years[0]] * (shape[0] * shape[1]),
            "year_now": [years[1]] * (shape[0] * shape[1]),
            "n_then": whole(np.where(mine, then.n, np.nan)),
            "n_now": whole(now.n),
            "score_then": nulls(np.where(mine, then.value, np.nan)),
            "score_now": nulls(now.value),
            "difference": shown(tested.difference),
            "statistic": shown(tested.statistic),
            "critical": shown(tested.critical),
            "lower": shown(tested.low),
            "upper": shown(tested.high),
            "verdict": pl.Series(verdict, dtype=pl.String),
            "test": [test] * (shape[0] * shape[1]),
            "status": status.ravel().tolist(),
            "reason": why.ravel().tolist(),
            "not_published": [""] * (shape[0] * shape[1]),
        },
    )


def fieldwork(
    survey: Survey, method: Method, year: int, names: Mapping[str, str], codes: Sequence[str], work: Fieldwork
) -> pl.DataFrame:
    """The `fieldwork` rows of one wave: every group and organisation; fewer completes than the base withhold."""
    tables = []
    size = len(codes)
    rates, national = work.response_rate, work.national_rate
    for g, group in enumerate(work.groups):
        sampled = (work.invited[g] >= 0).all()
        nothing = work.completed[g] == 0
        few = too_few(method, work.completed[g])
        hide = few | nothing
        tables.append(
            frame(
                "fieldwork",
                {
                    **_who(survey, year, group or ALL, codes, names, 1),
                    "invited": _maybe(work.invited[g], sampled),
                    "undeliverable": whole(np.where(hide | ~sampled, np.nan, work.undeliverable[g])),
                    "died": whole(np.where(hide | ~sampled, np.nan, work.died[g])),
                    "completed": whole(np.where(hide, np.nan, work.completed[g])),
                    "response_rate": nulls(np.where(hide, np.nan, rates[g])),
                    "national_response_rate": nulls(np.full(size, national[g])),
                    "national_invited": _maybe(np.full(size, work.invited[g].sum()), sampled),
                    "national_completed": [int(work.completed[g].sum())] * size,
                    "organisations": [int((work.completed[g] > 0).sum())] * size,
                    "status": np.where(nothing, "no data", np.where(few, "withheld", "shown")).tolist(),
                    "reason": np.where(
                        nothing, f"No {survey.people} answered.", np.where(few, _few(survey, method), "")
                    ).tolist(),
                    "not_published": ["" if sampled else "invited undeliverable died response_rate"] * size,
                },
            )
        )
    return pl.concat(tables)


def _few(survey: Survey, method: Method) -> str:
    return f"Fewer than {method.minimum_base} {survey.people} answered."


def too_few(method: Method, completed: Ints) -> NDArray[np.bool_]:
    """Where somebody answered, but fewer than the minimum."""
    return (completed > 0) & (completed < method.minimum_base)


def _maybe(values: Ints, known: np.bool_ | bool) -> pl.Series:
    return pl.Series(values if known else [None] * values.size, dtype=pl.Int64)


def profile(
    survey: Survey,
    method: Method,
    year: int,
    group: str,
    names: Mapping[str, str],
    codes: Sequence[str],
    demographic: Demographic,
    chosen: Ints,
    base: Ints,
    withheld: NDArray[np.bool_] | bool = False,
    minimum_count: int = 1,
) -> pl.DataFrame:
    """The `profile` rows of one characteristic: counts `chosen` (organisations, options) on `base`.

    `withheld` marks organisations whose participation in the group is withheld. A percentage of fewer
    people than `minimum_count` is withheld by itself.
    """
    options = demographic.options
    few = (base < method.minimum_base) | withheld
    rare = ~few[:, None] & (chosen > 0) & (chosen < minimum_count)
    share = np.where(few[:, None] | rare, np.nan, 100 * chosen / np.maximum(base, 1)[:, None])
    total = max(int(base.sum()), 1)
    national = 100 * chosen.sum(axis=0) / total
    each = len(options)
    hidden = np.repeat(few, each) | rare.ravel()
    rarely = f"Fewer than {minimum_count} {survey.people} gave this answer."
    return frame(
        "profile",
        {
            **_who(survey, year, group, codes, names, each),
            "variable": [demographic.code] * (each * len(codes)),
            "title": [demographic.title] * (each * len(codes)),
            "option": [o.code for o in options] * len(codes),
            "label": [o.label for o in options] * len(codes),
            "n": whole(np.repeat(np.where(few, np.nan, base), each)),
            "percent": nulls(share),
            "national_percent": nulls(np.tile(national, len(codes))),
            "status": np.where(hidden, "withheld", "shown").tolist(),
            "reason": np.where(np.repeat(few, each), _few(survey, method), np.where(rare.ravel(), rarely, "")).tolist(),
            "not_published": [""] * (each * len(codes)),
        },
    )
