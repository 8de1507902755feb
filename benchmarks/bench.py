# ruff: noqa: T201
"""How fast the survey's way is, and how sparing, each time against a named peer or limit in the same run.

python benchmarks/bench.py [--quick] [--only survey,large,many,reports]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from peers import Answer, Peer

    from stocktake.compare.estimates import Estimates
    from stocktake.survey.instrument import Method, Survey
    from stocktake.survey.scores import Scores
    from stocktake.survey.wave import Wave

CORES = 2
MINIMUM = 30
TOLERANCE = 1e-9
MB, GB = 1e6, 1e9
WIDTHS = (46, 11, 44, 11, 22, 17)


def say(*columns: str) -> None:
    """One line of the table."""
    print("  ".join(c.ljust(w) for c, w in zip(columns, WIDTHS, strict=False)).rstrip(), flush=True)


def verdict(met: bool) -> str:
    return "met" if met else "missed"


def compare(
    what: str,
    ours: float,
    against: str,
    theirs: float,
    target: float,
    kind: Literal["as fast", "as long", "of the limit"],
    unit: Literal["s", "MB"] = "s",
) -> None:
    """Print ours, theirs and their ratio: how many times as fast ours is, as long it takes, or of the limit."""
    ratio = theirs / ours if kind == "as fast" else ours / theirs
    met = ratio >= target if kind == "as fast" else ratio <= target
    times = f"{ratio:.3g} times" if kind != "of the limit" else f"{ratio:.2f}"
    bound = f"at {'least' if kind == 'as fast' else 'most'} {target:g}"
    number = "{:.0f} MB" if unit == "MB" else "{:.4g} s"
    say(what, number.format(ours), against, number.format(theirs), f"{times} {kind}", bound, verdict(met))


def clock(work: Callable[[], object]) -> Callable[[], float]:
    """The same work, telling its seconds; what it made is gone before the next starts."""

    def run() -> float:
        start = perf_counter()
        made = work()
        seconds = perf_counter() - start
        del made
        return seconds

    return run


def alternate(rounds: int, *runs: Callable[[], float], warm: bool = True) -> list[float]:
    """Median seconds of each over so many rounds in turn, after one round that is not counted."""
    if warm:
        for run in runs:
            run()
    taken = [[run() for run in runs] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


# --- Our whole job: from a Parquet file of answers to the bands of every question and section


def estimate(survey: Survey, path: Path, codes: tuple[str, ...]) -> tuple[Wave, Scores]:
    """Read, check, count and score."""
    from stocktake.survey.scores import score
    from stocktake.survey.tables import open_table
    from stocktake.survey.wave import read_wave

    wave = read_wave(survey, 2024, codes, open_table(path), None, survey.method)
    return wave, rescored(wave, survey.method) if False else score_of(wave, survey.method, score)
