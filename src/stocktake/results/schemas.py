"""The tables that a run yields: every column with its type and meaning, in the order in which it is written."""

from __future__ import annotations

import polars as pl

from stocktake.results.audit_schemas import AUDIT_SCHEMAS
from stocktake.results.columns import B, F, I, S, Schema
from stocktake.results.trend_schemas import TREND_SCHEMAS

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

_WHO: Schema = {
    "survey": (S, "code of the instrument"),
    "year": (I, "year of the wave"),
    "group": (S, "`all`, or the code of a service group"),
    "organisation": (S, "organisation's code"),
    "organisation_name": (S, "organisation's name"),
}
_STATE: Schema = {
    "status": (
        S,
        "`shown`, `withheld` (too few people, or enough to work out where too few are), `left out` (for every "
        "organisation of the group), `not banded`, `no data`, `not comparable` or `not published`",
    ),
    "reason": (S, "why the status is not `shown`, as a sentence; empty otherwise"),
    "not_published": (S, "columns of this row that are null because their source never published them"),
}
_WHAT: Schema = {
    "measure": (S, "the survey's own code: a question such as Q5_1, or a section such as S01"),
    "kind": (S, "`question` or `section`"),
    "section": (S, "code of the section that it is, or belongs to"),
}

SCHEMAS: dict[str, Schema] = {
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
        "lower": (F, "lower end of the difference's interval at the level of the test"),
        "upper": (F, "upper end of the difference's interval at the level of the test"),
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

# The tables of each kind of results.
KINDS: dict[str, dict[str, Schema]] = {"survey": SCHEMAS, "audit": AUDIT_SCHEMAS, "trends": TREND_SCHEMAS}
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
