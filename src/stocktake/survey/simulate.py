"""A synthetic survey, as real as can be made from published figures, with invented trusts."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from stocktake.files import write_file
from stocktake.organisations import Organisation
from stocktake.organisations.invented import places
from stocktake.survey.dirt import dirty
from stocktake.survey.instrument import Question, Survey

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Published for 2024 (53 trusts, one of them without service groups); group invitations are what the
# printed, rounded response rates allow.
TRUSTS = 53
INVITED = 76_581
LEAST = 1_250
ELIGIBLE = {"CAMHS": 5_943, "AMHS": 55_433, "OPMHS": 11_282}
COMPLETED = {"CAMHS": 1_034, "AMHS": 10_754, "OPMHS": 2_640}
UNGROUPED = 191
COMPLETED_BEFORE = 14_770

# Names of no place and no trust.
PLACES = places()
KINDS = ("Partnership NHS Trust", "Mental Health NHS Trust", "Community NHS Trust", "Care NHS Trust")
REGIONS = ("North", "Midlands", "East", "London", "South")


@dataclass(frozen=True)
class Target:
    """What is published (or assumed, as `source` says) of one question: scores and the share scored."""

    average: float
    lowest: float
    highest: float
    base_share: float
    source: str


@dataclass(frozen=True)
class Simulated:
    """One simulated wave: its files' tables, and the list of what was made dirty."""

    year: int
    organisations: tuple[Organisation, ...]
    responses: pl.DataFrame
    sample: pl.DataFrame
    dirt: pl.DataFrame


def targets(survey: str) -> dict[str, Target]:
    """The calibration table of a survey, by question."""
    path = resources.files("stocktake.survey") / "calibration" / f"{survey}.csv"
    rows = csv.DictReader(path.read_text("utf-8").splitlines())
    return {
        r["question"]: Target(
            float(r["average"]), float(r["lowest"]), float(r["highest"]), float(r["base_share"]), r["source"]
        )
        for r in rows
    }


def trusts(size: int = TRUSTS) -> tuple[Organisation, ...]:
    """Invented trusts: codes Z01 onwards, which the health service does not use."""
    return tuple(
        Organisation(f"Z{i + 1:02d}", f"{PLACES[i]} {KINDS[i % len(KINDS)]}", "mental health trust", REGIONS[i % 5])
        for i in range(size)
    )


# The last-but-one trust was formed after 2023 from two that no longer exist.
PREDECESSORS = (
    Organisation("Y01", f"{PLACES[53]} Mental Health NHS Trust", "mental health trust", "East"),
    Organisation("Y02", f"{PLACES[54]} Care NHS Trust", "mental health trust", "East"),
)
MERGED = "Z52"
EXCLUDED = "Z17"


def _shares_out(total: int, sizes: Floats) -> Ints:
    """Whole numbers in proportion to `sizes` that add up to `total` (largest remainders)."""
    exact = sizes / sizes.sum() * total
    whole = np.floor(exact).astype(np.int64)
    whole[np.argsort(-(exact - whole), kind="stable")[: total - int(whole.sum())]] += 1
    return whole


def _invitations(rng: np.random.Generator, trusts: int) -> tuple[Ints, Ints]:
    """Invited and completed by trust and group (the last column: no group), with the published totals."""
    sizes = np.full(trusts, LEAST, dtype=np.int64)
    larger = rng.choice(trusts - 1, size=16, replace=False)
    sizes[larger] += _shares_out(INVITED - LEAST * trusts, rng.uniform(0.6, 1.4, 16))
    groups = np.array(list(ELIGIBLE.values()), dtype=np.float64)
    varied = rng.lognormal(0, np.array([0.6, 0.12, 0.4]), size=(trusts, 3))
    mix: Floats = groups / groups.sum() * varied
    # Some trusts have no services for children and adolescents, and some none for older people.
    mix[rng.choice(trusts - 1, 9, replace=False), 0] = 0
    mix[rng.choice(trusts - 1, 5, replace=False), 2] = 0
    mix[-1] = 0
    ungrouped = int(sizes[-1])
    column = _shares_out(INVITED - ungrouped, groups)
    for _ in range(200):
        mix *= (np.where(mix.sum(1) > 0, sizes / np.maximum(mix.sum(1), 1e-12), 0))[:, None]
        mix *= column / mix.sum(0)
    invited = np.zeros((trusts, 4), dtype=np.int64)
    for i in range(trusts - 1):
        invited[i, :3] = _shares_out(int(sizes[i]), mix[i])
    invited[-1, 3] = ungrouped
    keen = rng.lognormal(0, 0.27, trusts)
    completed = np.zeros_like(invited)
    for g, total in enumerate([*COMPLETED.values(), UNGROUPED]):
        completed[:, g] = _shares_out(total, invited[:, g] * keen)
    return invited, completed


def _people(
    rng: np.random.Generator, invited: Ints, completed: Ints, organisations: tuple[Organisation, ...], year: int
) -> pl.DataFrame:
    """The sample file, one row a person invited, with outcomes that give the totals."""
    trusts, groups = invited.shape
    trust = np.repeat(np.arange(trusts), invited.sum(axis=1))
    group = np.concatenate([np.repeat(np.arange(groups), invited[i]) for i in range(trusts)])
    size = trust.size
    tilt = rng.normal(0, 4, size=(trusts,))[trust]
    adult = np.clip(rng.normal(43, 14, size) + tilt, 18, 88)
    older = np.clip(rng.normal(76, 7, size), 65, 99)
    young = rng.integers(16, 19, size)
    age = np.where(group == 0, young, np.where(group == 2, older, adult)).astype(np.int64)
    women = np.where(group == 0, 0.66, 0.57) + rng.normal(0, 0.03, size=(trusts,))[trust]
    sex = np.where(rng.random(size) < women, 2, 1)
    # Older people answer more readily: their keys draw earlier within each trust and group.
    order = np.lexsort((rng.exponential(1, size) * (1.5 - 0.008 * age), group, trust))
    place = np.empty(size, dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(invited.reshape(-1))[:-1]])
    cell = trust * groups + group
    place[order] = np.arange(size)
    place -= starts[cell]
    useable = place < completed.reshape(-1)[cell]
    outcome = np.where(useable, 1, 6)
    others = np.flatnonzero(~useable)
    lost = rng.permutation(others)
    gone = INVITED - sum(ELIGIBLE.values()) - int(invited[-1, 3]) + 44
    outcome[lost[:gone]] = np.where(rng.random(gone) < 0.93, 2, 3)
    rest = lost[gone:]
    outcome[rest] = rng.choice([4, 5, 6], size=rest.size, p=[0.05, 0.01, 0.94])
    start = date(year, 4, 1)
    days = rng.integers(0, 61, size)
    names = np.array([*ELIGIBLE, ""])
    return pl.DataFrame(
        {
            "respondent": [f"{year % 100}{i:06d}" for i in rng.permutation(size) + 1],
            "organisation": np.array([o.code for o in organisations])[trust],
            "age": age,
            "sex": sex,
            "service": pl.Series(names[group]).replace("", None),
            "contact_date": [start + timedelta(days=int(d)) for d in days],
            "outcome": outcome,
        }
    )


@dataclass
class _Answers:
    """The draw of every answer: a latent opinion cut into the options, with calibrated centre and spread."""

    rng: np.random.Generator
    survey: Survey
    targets: dict[str, Target]
    trust: Ints
    effects: Floats
    tilt: Floats
    person: Floats

    def scored(self, question: Question, eligible: NDArray[np.bool_], column: int) -> Ints:
        """Option codes of one scored question (0 for blank), for those who should answer it."""
        target = self.targets[question.code]
        size = self.trust.size
        ranked = sorted((o for o in question.options if o.score is not None), key=lambda o: o.score or 0.0)
        points = np.array([o.score for o in ranked])
        codes = np.array([o.code for o in ranked])
        unscored = [o.code for o in question.options if o.score is None]
        noise = 0.65 * self.person + 0.75 * self.rng.normal(0, 1, size) + self.tilt
        effect = self.effects[:, column]
        share = min(0.985, target.base_share * size / max(int(eligible.sum()), 1))
        heard = eligible & (self.rng.random(size) < share)
        centre, spread = self._calibrate(target, noise, effect, points, heard)
        drawn = codes[self._cut(noise, effect, centre, spread, points)]
        missed = np.zeros(size, dtype=np.int64) - 1
        if unscored:
            missed = np.where(self.rng.random(size) < 0.8, self.rng.choice(unscored, size), -1)
        return np.where(heard, drawn, np.where(eligible, missed, -1))

    def _cut(self, noise: Floats, effect: Floats, centre: float, spread: float, points: Floats) -> Ints:
        cuts = np.linspace(-0.62, 0.62, points.size - 1) if points.size > 2 else np.array([0.0])
        if points.size > 5:
            cuts = np.linspace(-1.9, 1.4, points.size - 1)
        return np.searchsorted(cuts, noise + centre + spread * effect[self.trust])

    def _calibrate(
        self, target: Target, noise: Floats, effect: Floats, points: Floats, heard: NDArray[np.bool_]
    ) -> tuple[float, float]:
        """Centre and spread that give the published average and range of trusts' scores, by bisection."""
        trust = self.trust[heard]
        count = np.bincount(trust, minlength=effect.size)
        enough = count >= 30

        def means(centre: float, spread: float) -> Floats:
            drawn = points[self._cut(noise, effect, centre, spread, points)][heard]
            total = np.bincount(trust, weights=drawn, minlength=effect.size)
            return (total / np.maximum(count, 1))[enough]

        def centred(spread: float) -> float:
            low, high = -4.0, 4.0
            for _ in range(24):
                middle = (low + high) / 2
                low, high = (middle, high) if means(middle, spread).mean() < target.average else (low, middle)
            return (low + high) / 2

        low, high = 0.0, 0.8
        for _ in range(12):
            middle = (low + high) / 2
            narrow = np.ptp(means(centred(middle), middle)) < target.highest - target.lowest
            low, high = (middle, high) if narrow else (low, middle)
        spread = (low + high) / 2
        return centred(spread), spread


def _plain(rng: np.random.Generator, question: Question, shares: list[float], size: int) -> Ints:
    codes = [o.code for o in question.options]
    return rng.choice(codes, size=size, p=np.array(shares) / sum(shares))


# How often each option of the routing questions is chosen; what is not here is drawn evenly.
ROUTING = {
    "Q1": [0.45, 0.3, 0.12, 0.08, 0.05],
    "Q2": [0.08, 0.16, 0.19, 0.57],
    "Q20": [0.62, 0.38],
    "Q24": [0.35, 0.6, 0.05],
    "Q28": [0.4, 0.55, 0.05],
    "Q36": [0.33, 0.67],
}


def _questionnaire(
    rng: np.random.Generator, survey: Survey, people: pl.DataFrame, effects: Floats, year: int
) -> pl.DataFrame:
    """The answers of everyone who returned a useable questionnaire, following the routing."""
    organisations = people["organisation"].unique(maintain_order=True).to_list()
    trust = people["organisation"].replace_strict({c: i for i, c in enumerate(organisations)}).to_numpy()
    age = people["age"].to_numpy()
    size = people.height
    tilt = 0.006 * (age - 45) - 0.10 * (people["service"] == "CAMHS").fill_null(False).to_numpy()
    draw = _Answers(rng, survey, targets(survey.code), trust, effects, tilt, rng.normal(0, 1, size))
    answers: dict[str, Ints] = {}
    order = [q.code for q in survey.questions]
    passed: dict[str, NDArray[np.bool_]] = {code: np.zeros(size, dtype=bool) for code in order}
    columns = {q.code: i for i, q in enumerate(survey.scored)}
    for i, question in enumerate(survey.questions):
        eligible = ~passed[question.code]
        if question.scored:
            given = draw.scored(question, eligible, columns[question.code])
        else:
            shares = ROUTING.get(question.code, [1.0] * len(question.options))
            given = np.where(eligible, _plain(rng, question, shares, size), -1)
            given = np.where(rng.random(size) < 0.01, -1, given) if question.code not in ROUTING else given
        answers[question.code] = given
        for route in question.routes:
            led = np.isin(given, route.answers)
            for code in order[i + 1 : order.index(route.skip_to)]:
                passed[code] |= led
    frame: dict[str, pl.Series] = {}
    for code in order:
        if year == survey.year or year in survey.by_code[code].comparable or survey.by_code[code].section is None:
            values = pl.Series(code, answers[code])
            frame[code] = values.set(values < 0, None)
    return pl.DataFrame(frame)


def _demographics(rng: np.random.Generator, people: pl.DataFrame) -> pl.DataFrame:
    size = people.height

    def pick(shares: list[float]) -> pl.Series:
        drawn = pl.Series(rng.choice(len(shares), size=size, p=np.array(shares) / sum(shares)) + 1)
        return drawn.set(pl.Series(rng.random(size) < 0.03), None)

    sex = people["sex"].to_numpy().copy()
    sex = np.where(rng.random(size) < 0.008, rng.choice([3, 4, 5], size), sex)
    conditions = rng.choice(3, size=size, p=[0.4, 0.3, 0.3]) + 1
    longterm = np.where(rng.random(size) < 0.93, 1, 2)
    blank = rng.random(size)
    return pl.DataFrame(
        {
            "age": people["age"].set(pl.Series(blank < 0.02), None),
            "sex": pl.Series(sex).set(pl.Series((blank > 0.02) & (blank < 0.04)), None),
            "gender": pick([0.965, 0.015, 0.02]),
            "ethnicity": pick([0.82, 0.03, 0.07, 0.05, 0.015, 0.015]),
            "religion": pick([0.46, 0.01, 0.39, 0.01, 0.005, 0.05, 0.01, 0.035, 0.03]),
            "sexual_orientation": pick([0.82, 0.04, 0.06, 0.03, 0.05]),
            "long_term_condition": pl.Series(longterm),
            "conditions": pl.Series(conditions).set(pl.Series(longterm == 2), None),
        }
    )


def simulate(survey: Survey, year: int | None = None, seed: int = 2024) -> Simulated:
    """Simulate one wave of the Community Mental Health Survey 2024: its main wave, or 2023 before it.

    Deterministic for a seed. Totals are the published ones; averages, ranges of trusts' scores and
    bases are calibrated to published figures, or to assumed ones where none is known (the
    calibration table says which). A small, known share of rows is dirty.
    """
    year = year or survey.year
    rng = np.random.default_rng([seed, year])
    lasting = np.random.default_rng([seed, 0])
    current = trusts()
    invited, completed = _invitations(rng, TRUSTS)
    # An organisation that does well in one thing tends to do well in others.
    effects = 0.6 * lasting.normal(0, 1, (TRUSTS, 1)) + 0.8 * lasting.normal(0, 1, (TRUSTS, len(survey.scored)))
    organisations = current
    if year != survey.year:
        organisations, invited, completed, effects = _earlier(rng, current, invited, completed, effects)
    people = _people(rng, invited, completed, organisations, year)
    useable = people.filter(pl.col("outcome") == 1)
    answered = _questionnaire(rng, survey, useable, effects, year)
    responses = pl.concat(
        [useable.select("respondent", "organisation"), _demographics(rng, useable), answered], how="horizontal"
    )
    responses, dirt = dirty(rng, responses, people, survey)
    # Whoever has no age and sex in the questionnaire has none in the sample file either.
    nameless = people["respondent"].is_in(dirt.filter(pl.col("problem") == "no age or sex")["respondent"].implode())
    people = people.with_columns(*(pl.when(~nameless).then(c).alias(c) for c in ("age", "sex")))
    return Simulated(year, organisations, responses, people.sort("respondent"), dirt)


def _earlier(
    rng: np.random.Generator, current: tuple[Organisation, ...], invited: Ints, completed: Ints, effects: Floats
) -> tuple[tuple[Organisation, ...], Ints, Ints, Floats]:
    """The wave before: one trust was two, one was left out, and every trust has moved a little."""
    completed = completed.copy()
    wanted = COMPLETED_BEFORE - int(completed.sum())
    completed[:, 1] += _shares_out(wanted, completed[:, 1].astype(np.float64))
    moved = 0.86 * effects + 0.5 * rng.normal(0, 1, effects.shape)
    codes = [o.code for o in current]
    merged, left_out = codes.index(MERGED), codes.index(EXCLUDED)
    keep = [i for i in range(len(codes)) if i not in (merged, left_out)]
    # The two predecessors take the merged trust's place and the place of the one left out.
    rows = [*keep, merged, left_out]
    organisations = (*(current[i] for i in keep), *PREDECESSORS)
    return organisations, invited[rows], completed[rows], moved[rows]


def write(simulated: Simulated, folder: Path, responses: str = "responses.csv") -> None:
    """Write a wave's files: responses, sample.csv, and known_problems.csv."""
    table = simulated.responses
    if responses.endswith(".parquet"):
        write_file(folder / responses, lambda path: table.write_parquet(path))
    else:
        write_file(folder / responses, table.write_csv())
    write_file(folder / "sample.csv", simulated.sample.write_csv())
    write_file(folder / "known_problems.csv", simulated.dirt.write_csv())
