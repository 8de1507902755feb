"""Peers: the same question means and standard errors by tools that an analyst might use instead.

Every peer starts from a table that is scored and weighted already, which ours is not, and yields means and standard
errors of questions only: no checks, no sections, no bands. Each is written as well as its interface lets one.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Literal

import numpy as np
import polars as pl
from processes import run as run_process

from stocktake.compare.estimates import Floats
from stocktake.survey.instrument import Survey

Correction = Literal["none", "design", "stratum"]


@dataclass(frozen=True)
class Answer:
    """What a peer found, means and standard errors of shape (organisations, questions), and the seconds it took.

    `memory` is the peak (bytes) of another process that did the work, 0 where this one did it.
    """

    mean: Floats
    error: Floats
    seconds: float
    memory: float = 0.0


class Missing(Exception):
    """A peer that is not installed here; the message says which."""


@dataclass(frozen=True)
class Peer:
    """A peer, how many times as fast ours is to be, and the finite-sample factor in the errors it yields."""

    name: str
    target: float
    run: Callable[[Path, Sequence[str]], Answer]
    correction: Correction = "none"
    slow: bool = False


def write_table(answers: Path, survey: Survey) -> Path:
    """Score and weigh the answers with Polars expressions, apart from our own code; returns a Parquet file.

    Columns organisation, weight, and a score for each question (null where there is none); beside it the same as CSV.
    """
    everyone, own = pl.len(), pl.len().over("organisation")
    share = pl.len().over(*survey.cells) / everyone
    weight = share / (pl.len().over("organisation", *survey.cells) / own)
    scores = [
        pl.col(q.code).replace_strict({o.code: o.score for o in q.options}, default=None, return_dtype=pl.Float64)
        for q in survey.scored
    ]
    chosen = pl.read_parquet(answers).select(
        "organisation", weight.clip(upper_bound=survey.method.cap).alias("weight"), *scores
    )
    path = answers.with_name(f"scored_{answers.name}")
    chosen.write_parquet(path)
    chosen.write_csv(path.with_suffix(".csv"))
    return path


def _timed(work: Callable[[Path, Sequence[str]], tuple[Floats, Floats]]) -> Callable[[Path, Sequence[str]], Answer]:
    def run(table: Path, questions: Sequence[str]) -> Answer:
        start = perf_counter()
        mean, error = work(table, questions)
        return Answer(mean, error, perf_counter() - start)

    return run


def _pandas_sums_each(table: Path, questions: Sequence[str]) -> tuple[Floats, Floats]:
    import pandas as pd

    frame = pd.read_parquet(table)
    means, errors = [], []
    for question in questions:
        here = frame[["organisation", "weight", question]].dropna()
        here["product"] = here["weight"] * here[question]
        sums = here.groupby("organisation")[["weight", "product"]].sum()
        mean = sums["product"] / sums["weight"]
        squares = (here["weight"] * (here[question] - here["organisation"].map(mean))) ** 2
        variance = squares.groupby(here["organisation"]).sum() / sums["weight"] ** 2
        means.append(mean.to_numpy())
        errors.append(np.sqrt(variance.to_numpy()))
    return np.stack(means, axis=1), np.stack(errors, axis=1)


def _pandas_sums_together(table: Path, questions: Sequence[str]) -> tuple[Floats, Floats]:
    import pandas as pd

    frame = pd.read_parquet(table)
    scores, weight, organisation = frame[list(questions)], frame["weight"], frame["organisation"]
    total = scores.notna().mul(weight, axis=0).groupby(organisation).sum()
    mean = scores.mul(weight, axis=0).groupby(organisation).sum() / total
    residual = scores - mean.reindex(organisation).to_numpy()
    squares = residual.mul(weight, axis=0).pow(2).groupby(organisation).sum()
    return mean.to_numpy(), squares.pow(0.5).div(total).to_numpy()


def _pandas_apply_each(table: Path, questions: Sequence[str]) -> tuple[Floats, Floats]:
    import pandas as pd

    frame = pd.read_parquet(table)

    def one(part: pd.DataFrame) -> pd.Series[float]:
        score, weight = part.iloc[:, 1], part["weight"]
        total = weight.sum()
        mean = (weight * score).sum() / total
        return pd.Series([mean, np.sqrt(((weight * (score - mean)) ** 2).sum()) / total])

    found = []
    for question in questions:
        answered = frame.dropna(subset=question)
        found.append(answered.groupby("organisation")[["weight", question]].apply(one).to_numpy())
    both = np.stack(found, axis=1)
    return both[..., 0], both[..., 1]


def _pandas_apply_together(table: Path, questions: Sequence[str]) -> tuple[Floats, Floats]:
    import pandas as pd

    frame = pd.read_parquet(table)

    def one(part: pd.DataFrame) -> pd.Series[float]:
        score = part[list(questions)].to_numpy()
        weight = part["weight"].to_numpy()[:, None]
        total = (weight * ~np.isnan(score)).sum(axis=0)
        mean = np.nansum(weight * score, axis=0) / total
        error = np.sqrt(np.nansum((weight * (score - mean)) ** 2, axis=0)) / total
        return pd.Series(np.concatenate([mean, error]))

    both = frame.groupby("organisation")[["weight", *questions]].apply(one).to_numpy()
    return both[:, : len(questions)], both[:, len(questions) :]


def _statsmodels(table: Path, questions: Sequence[str]) -> tuple[Floats, Floats]:
    import pandas as pd
    from statsmodels.stats.weightstats import DescrStatsW  # type: ignore[import-untyped]

    frame = pd.read_parquet(table)
    means, errors = [], []
    for _, part in frame.groupby("organisation"):
        weight = part["weight"].to_numpy()
        mean, error = [], []
        for question in questions:
            score = part[question].to_numpy()
            there = ~np.isnan(score)
            found = DescrStatsW(score[there], weights=weight[there])
            mean.append(found.mean)
            # Its own std_mean takes weights for frequencies: another estimator, by hand then.
            error.append(np.sqrt(((found.weights * found.demeaned) ** 2).sum()) / found.sum_weights)
        means.append(mean)
        errors.append(error)
    return np.array(means), np.array(errors)


def _polars_nested(table: Path, questions: Sequence[str]) -> tuple[Floats, Floats]:
    w = pl.col("weight")
    asked = []
    for question in questions:
        x = pl.col(question)
        total = w.filter(x.is_not_null()).sum()
        mean = (w * x).sum() / total
        asked += [
            mean.alias(f"mean {question}"),
            (((w * (x - mean)) ** 2).sum().sqrt() / total).alias(f"error {question}"),
        ]
    found = pl.read_parquet(table).group_by("organisation").agg(asked).sort("organisation")
    return tuple(  # type: ignore[return-value]
        found.select([f"{what} {q}" for q in questions]).to_numpy() for what in ("mean", "error")
    )


def _polars_sums(table: Path, questions: Sequence[str]) -> tuple[Floats, Floats]:
    w = pl.col("weight")
    sums = []
    for question in questions:
        x = pl.col(question)
        there = x.is_not_null()
        sums += [
            (w * there).sum().alias(f"w {question}"),
            (w * x).sum().alias(f"wx {question}"),
            (w**2 * there).sum().alias(f"ww {question}"),
            (w**2 * x).sum().alias(f"wwx {question}"),
            (w**2 * x**2).sum().alias(f"wwxx {question}"),
        ]
    found = pl.read_parquet(table).group_by("organisation").agg(sums).sort("organisation")
    w0, wx, ww, wwx, wwxx = (
        found.select([f"{what} {q}" for q in questions]).to_numpy() for what in ("w", "wx", "ww", "wwx", "wwxx")
    )
    mean = wx / w0
    return mean, np.sqrt(wwxx - 2 * mean * wwx + mean**2 * ww) / w0


def _svy(table: Path, questions: Sequence[str]) -> tuple[Floats, Floats]:
    import svy

    sample = svy.Sample(pl.read_parquet(table), svy.Design(wgt="weight"))
    found = sample.estimation.mean(list(questions), by="organisation", drop_nulls=True)
    assert isinstance(found, list)
    frames = [one.to_polars().sort("organisation") for one in found]
    return (
        np.stack([f["est"].to_numpy() for f in frames], axis=1),
        np.stack([f["se"].to_numpy() for f in frames], axis=1),
    )


def _r_survey(design: Literal["design", "stratum"]) -> Callable[[Path, Sequence[str]], Answer]:
    """R's survey::svyby, one question at a time; its seconds are R's own, without starting and reading."""

    def run(table: Path, questions: Sequence[str]) -> Answer:
        if shutil.which("Rscript") is None:
            raise Missing("Rscript is not installed")
        source, out = table.with_suffix(".csv"), table.with_name(f"survey_r_{design}.csv")
        script = Path(__file__).with_name("peers.R")
        done = run_process(["Rscript", str(script), str(source), str(out), design])
        if done.status == 3:
            raise Missing(done.errors.strip())
        if done.status:
            raise RuntimeError(f"peers.R failed: {done.errors.strip()[-500:]}")
        rows = pl.read_csv(out).sort("organisation")
        means, standard_errors = (
            np.stack([rows.filter(pl.col("question") == q)[c].to_numpy() for q in questions], axis=1)
            for c in ("mean", "error")
        )
        return Answer(means, standard_errors, float(done.out.split()[-1]), done.peak)

    return run


PEERS = (
    Peer("pandas groupby sums, a question at a time", 4, _timed(_pandas_sums_each)),
    Peer("pandas groupby sums, all questions at once", 4, _timed(_pandas_sums_together)),
    Peer("pandas groupby-apply, a question at a time", 4, _timed(_pandas_apply_each)),
    Peer("pandas groupby-apply, all questions at once", 4, _timed(_pandas_apply_together)),
    Peer("polars by hand, means inside the sums", 1, _timed(_polars_nested)),
    Peer("polars by hand, five sums a question", 1, _timed(_polars_sums)),
    Peer("statsmodels DescrStatsW loop", 5, _timed(_statsmodels)),
    Peer("svy, mean by organisation", 40, _timed(_svy), "design", slow=True),
    Peer("R survey svyby", 200, _r_survey("design"), "design", slow=True),
    Peer("R survey svyby, organisations as strata", 200, _r_survey("stratum"), "stratum", slow=True),
)
