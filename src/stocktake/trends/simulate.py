"""A simulated history, 2012 to 2022, that agrees with what a published page of trends says of those years."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import polars as pl
from numpy.typing import NDArray

from stocktake.compare.estimates import Floats
from stocktake.organisations import Organisation
from stocktake.organisations.invented import invented_places
from stocktake.survey.counts import Ints
from stocktake.survey.instrument import Question, Survey, parse
from stocktake.survey.percentages import counted_options, national_weights
from stocktake.survey.simulate import KINDS, MERGED, PLACES, PREDECESSORS, REGIONS, trusts

# As the surveys of those years were: so many people of each trust, of whom about three in ten answered.
INVITED = 850
RESPONSE = 0.3
# A trust of 2018 and later, and those that it was formed of.
FORMED, FORMED_IN = "Z10", 2018
# Names beyond those of one list of places.
EXTRA = invented_places(len(PLACES) + 2)[len(PLACES) :]
BEFORE_FORMED = (
    Organisation("Y03", f"{EXTRA[0]} {KINDS[0]}", "mental health trust", REGIONS[4]),
    Organisation("Y04", f"{EXTRA[1]} {KINDS[1]}", "mental health trust", REGIONS[4]),
)
AGES = ((18, 35), (36, 50), (51, 65), (66, 90))
ETHNICITY = (0.83, 0.03, 0.06, 0.05, 0.015, 0.015)
RELIGION = (0.4, 0.01, 0.46, 0.01, 0.005, 0.045, 0.01, 0.03, 0.03)


@dataclass(frozen=True)
class Target:
    """Shares of the counted answers in their order, 0 to 100, the per cent who give another answer, and its source."""

    shares: tuple[float, ...]
    left_out: float
    source: str


@dataclass(frozen=True)
class Year:
    """One simulated year: its organisations, and the tables of its files."""

    year: int
    organisations: tuple[Organisation, ...]
    responses: pl.DataFrame
    sample: pl.DataFrame


def demo_file(name: str) -> str:
    """A file of the demo that comes with the program."""
    return (resources.files("stocktake.trends") / "demo" / name).read_text("utf-8")


@cache
def instrument(name: str) -> Survey:
    """An instrument of the simulated history, by its file."""
    return parse(demo_file(name), name)


@cache
def targets() -> Mapping[tuple[str, int], Target]:
    """What each question's answers are to be, by question and year."""
    rows = csv.DictReader(demo_file("history.csv").splitlines())
    return {
        (r["question"], int(r["year"])): Target(
            tuple(float(s) for s in r["shares"].split()), float(r["left_out"]), r["source"]
        )
        for r in rows
    }


def organisations_of(year: int) -> tuple[Organisation, ...]:
    """The trusts of a year: those of today, with what some of them were formed of."""
    out = [o for o in trusts() if o.code != MERGED]
    out += PREDECESSORS
    if year < FORMED_IN:
        out = [o for o in out if o.code != FORMED]
        out += BEFORE_FORMED
    return tuple(out)


def simulate_year(survey: Survey, year: int, seed: int = 2024) -> Year:
    """Simulate one year of an instrument; deterministic for a seed.

    The weighted percentages of everybody come out as the targets say but for single people, since answers are cut from
    weighted ranks of a latent opinion; trusts, ages and chance move each trust's own.
    """
    rng = np.random.default_rng([seed, year, 7])
    organisations = organisations_of(year)
    lasting = {
        o.code: float(np.random.default_rng([seed, i]).normal())
        for i, o in enumerate((*trusts(), *PREDECESSORS, *BEFORE_FORMED))
    }
    sample, cell, trust = _sample(rng, organisations, year)
    answered = sample["outcome"].to_numpy() == 1
    cells = 8
    flat = len(organisations) * cells
    invited = np.bincount(
        trust * cells + cell, weights=np.isin(sample["outcome"].to_numpy(), (1, 4, 5, 6)), minlength=flat
    )
    here = trust[answered] * cells + cell[answered]
    respondents = np.bincount(here, minlength=flat).reshape(-1, cells)
    weights = national_weights(respondents, invited.reshape(-1, cells).astype(np.int64)).values.reshape(-1)[here]
    people = sample.filter(pl.Series(answered))
    effect = np.array([lasting[o.code] for o in organisations])[trust[answered]]
    opinion = 0.6 * rng.normal(0, 1, people.height) + 0.004 * (people["age"].to_numpy() - 45) + 0.1 * effect
    columns = _answers(rng, survey, year, opinion, weights)
    size = people.height

    def pick(shares: tuple[float, ...]) -> pl.Series:
        drawn = pl.Series(rng.choice(len(shares), size=size, p=np.array(shares) / sum(shares)) + 1)
        return drawn.set(pl.Series(rng.random(size) < 0.03), None)

    responses = people.select("respondent", "organisation", "age", "sex").with_columns(
        pick(ETHNICITY).alias("ethnicity"),
        pick(RELIGION).alias("religion"),
        pick((0.9, 0.1)).alias("long_term_condition"),
        *columns,
    )
    return Year(year, organisations, responses, sample)


def _sample(
    rng: np.random.Generator, organisations: tuple[Organisation, ...], year: int
) -> tuple[pl.DataFrame, Ints, Ints]:
    """The people invited, with their standardisation cell and the position of their trust."""
    size = INVITED * len(organisations)
    trust = np.repeat(np.arange(len(organisations)), INVITED)
    band = rng.choice(4, size=size, p=[0.24, 0.3, 0.26, 0.2])
    low, high = (np.array([a[i] for a in AGES])[band] for i in (0, 1))
    age = low + (rng.random(size) * (high - low + 1)).astype(np.int64)
    sex = np.where(rng.random(size) < 0.56, 2, 1)
    # Older people and women answer more readily.
    keen = RESPONSE * np.array([0.65, 0.9, 1.15, 1.3])[band] * np.where(sex == 2, 1.08, 0.9)
    keen = keen * rng.lognormal(0, 0.15, len(organisations))[trust]
    outcome = np.where(
        rng.random(size) < keen, 1, rng.choice([2, 3, 4, 5, 6], size=size, p=[0.04, 0.005, 0.03, 0.005, 0.92])
    )
    sample = pl.DataFrame(
        {
            "respondent": [f"{year % 100:02d}{i:06d}" for i in rng.permutation(size) + 1],
            "organisation": np.array([o.code for o in organisations])[trust],
            "age": age,
            "sex": sex,
            "outcome": outcome,
        }
    )
    return sample, band * 2 + (sex - 1), trust


def _answers(rng: np.random.Generator, survey: Survey, year: int, opinion: Floats, weights: Floats) -> list[pl.Series]:
    """A column for each question asked in the year, following the routing."""
    order = [q.code for q in survey.questions]
    passed: dict[str, NDArray[np.bool_]] = {code: np.zeros(opinion.size, dtype=bool) for code in order}
    out = []
    for i, question in enumerate(survey.questions):
        target = targets().get((question.code, year))
        if target is None:
            continue
        given = _given(rng, question, target, ~passed[question.code], opinion, weights)
        for route in question.routes:
            led = np.isin(given, route.answers)
            for code in order[i + 1 : order.index(route.skip_to)]:
                passed[code] |= led
        values = pl.Series(question.code, given)
        out.append(values.set(values < 0, None))
    return out


def _given(
    rng: np.random.Generator,
    question: Question,
    target: Target,
    asked: NDArray[np.bool_],
    opinion: Floats,
    weights: Floats,
) -> Ints:
    """Option codes of one question, -1 for those who were not asked or left it blank."""
    counted = counted_options(question)
    others = [o.code for i, o in enumerate(question.options, start=1) if i not in counted]
    chance = rng.random(opinion.size)
    heard = asked & (chance < 0.98 - target.left_out / 100)
    out = np.full(opinion.size, -1, dtype=np.int64)
    another = asked & ~heard & (chance < 0.98)
    out[another] = rng.choice(others, int(another.sum())) if others else -1
    # The worst answer first, by score: the lowest ranks give it.
    ranked = sorted(counted, key=lambda i: (question.options[i - 1].score or 0.0, i))
    shares = dict(zip(counted, target.shares, strict=True))
    cuts = np.cumsum([shares[i] for i in ranked])[:-1] / 100
    latent = opinion[heard] + 0.8 * rng.normal(0, 1, int(heard.sum()))
    by_rank = np.argsort(latent, kind="stable")
    place = np.empty(by_rank.size)
    own = weights[heard][by_rank]
    place[by_rank] = (np.cumsum(own) - own / 2) / own.sum()
    codes = np.array([question.options[i - 1].code for i in ranked])
    out[heard] = codes[np.searchsorted(cuts, place)]
    return out
