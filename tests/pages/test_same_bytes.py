"""Every edition is byte-identical for the same results, whatever the clock, the time zone and the locale say."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from helpers import small_survey
from stocktake.run.benchmark import benchmark
from stocktake.run.core import ENDINGS, Run
from stocktake.survey.instrument import Method


def run_of() -> Run:
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            "organisation": [f"T{i % 5}" for i in range(400)],
            "kind": rng.integers(1, 3, 400),
            "Q1": rng.integers(1, 4, 400),
            "Q2": rng.integers(1, 4, 400),
        }
    )
    survey = small_survey({"S01": [3, 3]}, method=Method(minimum_base=5, minimum_answers=0, draws=20))
    return benchmark(instrument=survey, responses=frame)


@pytest.mark.parametrize("ending", ENDINGS)
def test_editions_are_the_same_at_another_hour(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_of().report("T1").as_bytes(ending)
    # Properties of files tell the second in which they were made.
    time.sleep(1.1)
    real = time.localtime

    def later(seconds: float | None = None) -> Any:
        return real((time.time() if seconds is None else seconds) + 86_400 * 400)

    monkeypatch.setattr(time, "localtime", later)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    time.tzset()
    try:
        assert datetime.now() is not None
        assert run_of().report("T1").as_bytes(ending) == first
    finally:
        monkeypatch.undo()
        time.tzset()
