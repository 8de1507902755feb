"""The tables that a run yields: every column with its type and meaning, in the order in which it is written."""

from __future__ import annotations

import polars as pl

S, F, I, B = pl.String(), pl.Float64(), pl.Int64(), pl.Boolean()

Column = tuple[pl.DataType, str]

LIMITS = (
    "limit_much_worse",
    "limit_worse",
    "limit_somewhat_worse",
    "limit_somewhat_better",
    "limit_better",
    "limit_much_better",
)

BANDS = (
    "much_worse",
    "worse",
    "somewhat_worse",
    "about_the_same",
    "somewhat_better",
    "better",
    "much_better",
)

_WHO: dict[str, Column] = {
    "survey": (S, "code of the instrument"),
    "year": (I, "year of the wave"),
    "group": (S, "`all`, or the code of a service group"),
    "organisation": (S, "organisation's code"),
    "organisation_name": (S, "organisation's name"),
}
_STATE: dict[str, Column] = {
    "status": (
        S,
        "`shown`, `withheld` (too few people, or enough to work out where too few are), `left out` (for every "
        "organisation of the group), `not banded`, `no data`, `not comparable` or `not published`",
    ),
    "reason": (S, "why the status is not `shown`, as a sentence; empty otherwise"),
    "not_published": (S, "columns of this row that are null because their source never published them"),
}
_WHAT: dict[str, Column] = {
    "measure": (S, "the survey's own code: a question such as Q5_1, or a section such as S01"),
    "kind": (S, "`question` or `section`"),
    "section": (S, "code of the section that it is, or belongs to"),
}

SCHEMAS: dict[str, dict[str, Column]] = {
    "scores": {
        **_WHO,
        **_WHAT,
        "n": (I, "respondents whose answer was scored; for a section the smallest of its questions' bases"),
        "effective_base": (F, "Kish's effective base, sum(w) squared over sum(w squared); null for sections"),
        "score": (F, "standardised mean score, 0 to 10"),
        "standard_error": (F, "standard error of the score"),
        "lower_95": (F, "lower end of the 95% interval of the score"),
        "upper_95": (F, "upper end of the 95% interval of the score"),
        "national_average": (F, "unweighted mean of the organisations' shown scores"),
        "lowest": (F, "lowest shown score of any organisation"),
        "highest": (F, "highest shown score of any organisation"),
        "spread": (F, "S, the spread expected of this organisation's score, score points"),
        "z": (F, "distance from the average in units of S"),
        "band": (I, "1 (much worse than expected) to 7 (much better); null where not banded"),
        "place": (I, "place of a question among the organisation's own, by score less national average, highest first"),
        **{c: (F, f"expected-range limit: {c[6:].replace('_', ' ')} begins here") for c in LIMITS},
        **_STATE,
    },
    "firmness": {
        **_WHO,
        **_WHAT,
        "band": (I, "the band, as in `scores`"),
        "to_better": (F, "score points up to the next better band; null where there is none within the scale"),
        "to_worse": (F, "score points down to the next worse band; null where there is none within the scale"),
        "nearest_limit": (F, "the smaller of the two"),
        **{f"p_{c}": (F, f"probability of `{c.replace('_', ' ')}`") for c in BANDS},
        "p_band": (F, "probability of the band itself"),
        "p_outside": (F, "probability of any band but `about the same`"),
        "firm": (B, "whether the band is outside the range and `p_outside` at least 0.9; null without it"),
        "probability_method": (S, "`resampled` or `normal approximation`"),
        "left_out_lowest": (I, "lowest band on leaving out any one other organisation"),
        "left_out_highest": (I, "highest band on leaving out any one other organisation"),
        "survives": (B, "whether the band is the same whichever one other organisation is left out"),
        "steps_to_better": (I, "respondents who would have had to answer one step better for the next better band"),
        "q_value": (
            F,
            "adjusted p-value among the organisation's questions (Benjamini and Hochberg); null for sections",
        ),
        "stands": (B, "whether it is outside the range and its q-value within `false_discovery`; null without it"),
        "stands_at_5": (B, "whether it is outside the range and its q-value at most 0.05; null for sections"),
        **_STATE,
    },
    "changes": {
        "survey": _WHO["survey"],
        "group": _WHO["group"],
        "organisation": _WHO["organisation"],
        "organisation_name": _WHO["organisation_name"],
        **_WHAT,
        "year_then": (I, "earlier wave"),
        "year_now": (
            I,
            "later wave: the latest, or an earlier one between which and a still earlier one there is a test",
        ),
        "n_then": (I, "base then"),
        "n_now": (I, "base now"),
        "score_then": (F, "score then"),
        "score_now": (F, "score now"),
        "difference": (F, "score now minus score then"),
        "statistic": (F, "difference over its standard error"),
        "critical": (F, "value that the statistic must reach"),
        "verdict": (S, "`Increase`, `Decrease` or `No change`; null where there is nothing to compare"),
        "test": (S, "`z`, `t`, or `imported` where the verdict was read from a workbook"),
        **_STATE,
    },
    "fieldwork": {
        **_WHO,
        "invited": (I, "people in the sample"),
        "undeliverable": (I, "of these, not reached"),
        "died": (I, "of these, died"),
        "completed": (I, "useable questionnaires"),
        "response_rate": (F, "completed / (invited - undeliverable - died), as a share"),
        "national_response_rate": (F, "the same over all organisations together"),
        "national_invited": (I, "people in all samples"),
        "national_completed": (I, "useable questionnaires of all organisations"),
        "organisations": (I, "organisations with respondents in this wave and group"),
        **_STATE,
    },
    "profile": {
        **_WHO,
        "variable": (S, "demographic characteristic"),
        "title": (S, "its title"),
        "option": (I, "code of the option"),
        "label": (S, "what the option says"),
        "n": (I, "respondents who answered the question"),
        "percent": (F, "unweighted percentage of n"),
        "national_percent": (F, "unweighted percentage of all respondents"),
        **_STATE,
    },
    "measures": {
        "survey": _WHO["survey"],
        "year": _WHO["year"],
        "group": _WHO["group"],
        **_WHAT,
        "position": (I, "order of the measure in reports"),
        "text": (S, "wording, or the code where no wording is known"),
        "parts": (S, "questions that a section is the mean of, separated by spaces"),
        "organisations": (I, "organisations with a shown score"),
        "withheld": (I, "organisations with a withheld score"),
        "centre": (F, "national average"),
        "lowest": (F, "lowest shown score"),
        "highest": (F, "highest shown score"),
        "phi": (F, "over-dispersion: mean square of the Winsorised z-scores"),
        "tau2": (F, "variance between organisations, squared score points"),
        "tau": (F, "its square root, score points"),
        "minimum_base": (I, "fewer scored answers than this withhold a score"),
        "winsorise": (F, "share Winsorised at each end"),
        "percentile": (S, "type of percentile used for it"),
        "standard_error": (S, "kind of standard error"),
        "correction": (S, "factor on the variance"),
        "cap": (F, "largest standardisation weight"),
        "reference": (S, "population whose mix of cells is the standard"),
        **_STATE,
    },
    "disclosure": {
        "table": (S, "table of the withheld figure"),
        "year": (I, "year of the wave"),
        "group": (S, "`all`, a service group, or what is withheld together"),
        "organisation": (S, "organisation's code"),
        "measure": (S, "question or characteristic; empty for participation"),
        "figure": (S, "what could be worked out: `people`, `score`, `sum of points`, `sum of squares` or `count`"),
        "protection": (F, "by how much it should remain uncertain"),
        "how": (S, "what it follows from, as a sentence"),
    },
}


_AUDIT_WHO: dict[str, Column] = {
    "audit": (S, "code of the specification"),
    "indicator": (S, "code of the display, such as A3"),
    "part": (S, "options of its breakdown with strokes between them, `all` for their sum; empty where it has none"),
}
AUDIT_SCHEMAS: dict[str, dict[str, Column]] = {
    "figures": {
        **_AUDIT_WHO,
        "year": (I, "year of a series, by the year in which it begins; null for the year that was collected"),
        "kind": (S, "kind of organisation or area: `trust`, `ccg`, `la`, `stp`, `region` or `country`"),
        "organisation": (S, "code of the organisation or area"),
        "organisation_name": (S, "its name"),
        "value": (F, "the figure in the indicator's unit; shares in per cent"),
        "lower_95": (F, "lower end of its 95% interval of chance; null where the numerator counts no events"),
        "upper_95": (F, "upper end of the same"),
        "numerator": (F, "sum of the cells above the line; for a mean or median of an area that average"),
        "denominator": (F, "people, or sum of the cells below the line; 1 for a total"),
        "answered": (I, "cells of the numerator that were answered, `no such service` among them"),
        "cells": (I, "cells of the numerator that were asked"),
        "organisations": (I, "organisations whose answers the figure is made of"),
        "asked": (I, "organisations that were asked"),
        "made_of": (S, "codes of the organisations that an area's figure is made of; empty for an organisation's own"),
        "funnel_z": (
            F,
            "distance from the rate of all together in standard errors with over-dispersion; rates of events",
        ),
        "funnel_lower": (F, "lower 99.8% limit of the funnel at its number of people, in the indicator's unit"),
        "funnel_upper": (F, "upper 99.8% limit of the same"),
        "place": (F, "place among its kind, lowest first; equal figures share the first of their places"),
        "opportunity": (F, "change in the numerator that would bring it to the median; null without a judgement"),
        "status": (
            S,
            "`shown`, `withheld`, `not answered`, `no service`, `no population`, `nothing to divide by`, `boundaries differ` or `not asked`",
        ),
        "reason": (S, "why the status is not `shown`, as a sentence; empty otherwise"),
    },
    "summaries": {
        **_AUDIT_WHO,
        "kind": (S, "kind of organisation or area that the figures are of"),
        "n": (I, "organisations with a figure"),
        "no_service": (I, "organisations without the service"),
        "withheld": (I, "organisations whose figure is withheld for small numbers of people"),
        "asked": (I, "organisations that were asked"),
        "mean": (F, "unweighted mean of the figures"),
        "median": (F, "median"),
        "lower_quartile": (F, "lower quartile (type 7)"),
        "upper_quartile": (F, "upper quartile"),
        "p10": (F, "tenth percentile"),
        "p90": (F, "ninetieth percentile"),
        "lowest": (F, "lowest figure"),
        "highest": (F, "highest figure"),
        "fold": (F, "highest over lowest; null where the lowest is zero"),
        "fold_inner": (F, "ninetieth over tenth percentile"),
        "funnel_rate": (F, "rate of all together, about which the funnel lies; null where there is no funnel"),
        "funnel_phi": (F, "over-dispersion: how many times the variance of chance alone the rates have, at least 1"),
        "funnel_times": (F, "its square root: how many times as much as by chance alone the rates differ"),
        "funnel_outside": (I, "organisations outside the 99.8% limits"),
    },
    "national": {
        **_AUDIT_WHO,
        "population": (S, "code of the population that the rate is per; empty for a total"),
        "times": (F, "people of that population, or organisations asked, that the mean is multiplied by"),
        "times_what": (S, "what they are, in words"),
        "mean": (F, "mean of the organisations that answered; one without the service counts with none"),
        "n": (I, "how many they are"),
        "asked": (I, "organisations that were asked"),
        "value": (F, "mean times people (or organisations)"),
        "lower_95": (F, "lower end of its 95% interval, by Student's t over the organisations"),
        "upper_95": (F, "upper end of the same"),
    },
    "answers": {
        "organisation": (S, "code of the organisation"),
        "item": (S, "code of the item"),
        "part": (S, "its options, with strokes between them"),
        "template": (S, "template that it comes from"),
        "used": (B, "whether it counts; the other template's answer where two gave one, and earlier returns, do not"),
        "state": (S, "`answered`, `not answered` or `no service`"),
        "value": (F, "the number that was read"),
        "entered": (S, "what stands in the cell"),
        "note": (S, "how it was read, where that is more than copying"),
        "file": (S, "name of the file that was sent"),
        "sha256": (S, "SHA-256 of the file"),
        "sheet": (S, "sheet"),
        "cell": (S, "cell"),
        "received": (S, "when it was received (UTC)"),
        "signed_off_by": (S, "who signed the return off; empty where nobody did"),
    },
    "queries": {
        "organisation": (S, "code of the organisation"),
        "template": (S, "template"),
        "sheet": (S, "sheet of its return"),
        "cell": (S, "cell"),
        "question": (S, "what was asked, in the words of the form"),
        "entered": (S, "what stands in the cell"),
        "check": (S, "which check asks"),
        "sentence": (S, "what is asked"),
    },
}

_SHARE: dict[str, Column] = {
    "series": (S, "code of the series"),
    "breakdown": (S, "`all`, a grouping of organisations, or demographics by code, two of them with `and` between"),
    "group": (S, "label of the group"),
    "line": (S, "code of the line: an answer, or answers counted together"),
}
TREND_SCHEMAS: dict[str, dict[str, Column]] = {
    "series": {
        "series": _SHARE["series"],
        "position": (I, "order of the series in lists"),
        "title": (S, "wording, or the title that it was given"),
        "short": (S, "what it is about, in a few words"),
        "section": (S, "section of the latest questionnaire that it belongs to"),
        "declared": (B, "whether trends.yaml defines it; otherwise it is one question of one survey"),
        "year": (I, "year of the survey"),
        "survey": (S, "folder of the survey"),
        "question": (S, "code of the question then"),
        "text": (S, "wording then"),
        "segment": (I, "number of the stretch of years that compare with one another"),
        "break_reason": (S, "why it does not compare with the year before; empty where it does"),
        "note": (S, "what readers of the year must know; empty if nothing"),
    },
    "shares": {
        "series": _SHARE["series"],
        "year": (I, "year of the survey"),
        "survey": (S, "folder of the survey"),
        "question": (S, "code of the question then"),
        "segment": (I, "number of the stretch of years that compare with one another"),
        "breakdown": _SHARE["breakdown"],
        "group": _SHARE["group"],
        "line": _SHARE["line"],
        "label": (S, "what the line says"),
        "percent": (F, "weighted percentage of those who gave an answer that is counted"),
        "lower_95": (F, "lower end of its 95% interval (Wilson, on the effective base)"),
        "upper_95": (F, "upper end of the same"),
        "count": (I, "people who chose it, unweighted"),
        "base": (I, "people who gave an answer that is counted"),
        "left_out": (I, "people who gave another answer, such as that they did not know"),
        "effective_base": (F, "Kish's effective base, sum(w) squared over sum(w squared)"),
        "weighted_for_response": (B, "whether weights are for those who did not answer too"),
        "status": (S, "`shown`, `withheld` or `no data`"),
        "reason": (S, "why the status is not `shown`, as a sentence; empty otherwise"),
    },
    "breakdowns": {
        "breakdown": _SHARE["breakdown"],
        "title": (S, "what readers call it"),
    },
    "share_changes": {
        **_SHARE,
        "year_then": (I, "earlier year"),
        "year_now": (I, "later year"),
        "then": (F, "percentage then"),
        "now": (F, "percentage now"),
        "points": (F, "difference in percentage points"),
        "lower_95": (F, "lower end of its 95% interval (Newcombe, method 10)"),
        "upper_95": (F, "upper end of the same"),
        "z": (F, "difference over its standard error with the pooled share"),
        "p": (F, "two-sided p-value"),
        "verdict": (S, "`rose`, `fell` or `no clear change`, at the 5% level"),
    },
    "courses": {
        **_SHARE,
        "year_first": (I, "first year of the stretch"),
        "year_last": (I, "last year of the stretch"),
        "years": (I, "years with a percentage"),
        "points_a_year": (F, "slope of the straight line, percentage points a year"),
        "lower_95": (F, "lower end of its 95% interval"),
        "upper_95": (F, "upper end of the same"),
        "z": (F, "slope over its standard error (Cochran and Armitage)"),
        "p": (F, "two-sided p-value of the slope"),
        "departure": (F, "chi-squared of the departure from a straight line"),
        "freedom": (I, "its degrees of freedom"),
        "p_departure": (F, "its p-value"),
        "course": (S, "`rose`, `fell`, `varied` or `no clear change`"),
        "steady": (
            B,
            "whether a straight line describes it: no more departure from one than by chance, at the 5% level",
        ),
    },
    "share_differences": {
        "series": _SHARE["series"],
        "year": (I, "year of the survey"),
        "breakdown": (S, "demographic by code"),
        "group": _SHARE["group"],
        "line": _SHARE["line"],
        "difference": (F, "percentage of the group less that of everybody else, percentage points"),
        "adjusted": (F, "the same at one mix of age and sex"),
        "lower_95": (F, "lower end of the 95% interval of the adjusted difference"),
        "upper_95": (F, "upper end of the same"),
        "z": (F, "adjusted difference over its standard error"),
        "p": (F, "two-sided p-value"),
        "q_value": (F, "adjusted p-value among all groups of the year, series and line (Benjamini and Hochberg)"),
        "stands": (B, "whether the q-value is below 0.05"),
        "covered": (F, "share of people in cells of age and sex in which both sides have somebody"),
    },
    "sentences": {
        "indicator": (S, "code of the page"),
        "position": (I, "place among its sentences"),
        "text": (S, "the sentence as trends.yaml has it"),
        "printed": (B, "whether all its claims hold"),
        "problem": (S, "which claim does not hold, and what the figures say"),
    },
    "trend_notes": {
        "year": (I, "year of the survey"),
        "organisation": (S, "organisation's code; empty for all"),
        "note": (S, "what was done to weight its answers, as a sentence"),
    },
}
# The tables of each kind of results.
KINDS: dict[str, dict[str, dict[str, Column]]] = {"survey": SCHEMAS, "audit": AUDIT_SCHEMAS, "trends": TREND_SCHEMAS}
_EVERY = SCHEMAS | AUDIT_SCHEMAS | TREND_SCHEMAS


def frame(table: str, columns: dict[str, object]) -> pl.DataFrame:
    """A table with its documented columns in order; a column not given is null throughout."""
    schema = {name: kind for name, (kind, _) in _EVERY[table].items()}
    unknown = set(columns) - set(schema)
    if unknown:
        raise ValueError(f"{table} has no column {sorted(unknown)[0]!r}")
    given = pl.DataFrame(columns, schema_overrides={k: v for k, v in schema.items() if k in columns}, strict=False)
    missing = [pl.lit(None, dtype=kind).alias(name) for name, kind in schema.items() if name not in columns]
    return given.with_columns(missing).select([pl.col(n).cast(k) for n, k in schema.items()])


def empty(table: str) -> pl.DataFrame:
    """The table with no rows."""
    return pl.DataFrame(schema={name: kind for name, (kind, _) in _EVERY[table].items()})
