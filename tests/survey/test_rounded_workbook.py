"""A workbook of rounded figures gives back what it says: its own bands, z, limits and sections."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from helpers import small_survey
from stocktake.compare.estimates import Status
from stocktake.problems import StocktakeError
from stocktake.render.xlsx import xlsx_bytes
from stocktake.reports.published_layout import published_layout
from stocktake.run.benchmark import benchmark
from stocktake.run.core import Run
from stocktake.run.workbook import published
from stocktake.survey.instrument import Method
from stocktake.survey.published import instrument_of
from stocktake.survey.workbooks import Workbook, read_workbook


@pytest.fixture(scope="module")
def run() -> Run:
    rng = np.random.default_rng(4)
    rows = 600
    frame = pl.DataFrame(
        {
            "organisation": [f"T{i % 8}" for i in range(rows)],
            "kind": rng.integers(1, 3, rows),
            "Q1": rng.integers(1, 5, rows),
            "Q2": rng.integers(1, 5, rows),
            "Q3": rng.integers(1, 4, rows),
        }
    )
    method = Method(minimum_base=5, minimum_answers=0, draws=0)
    return benchmark(instrument=small_survey({"S01": [4, 4], "S02": [3]}, method=method), responses=frame)


@pytest.fixture(scope="module")
def book(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("layout") / "small_2024.xlsx"
    path.write_bytes(xlsx_bytes(published_layout(run.public, run.survey)))
    return path


def test_bands_and_sections_are_those_of_the_workbook(run: Run, book: Path) -> None:
    back = published(book)
    assert {s.code: [q.code for q in back.survey.members(s.code)] for s in back.survey.sections} == {
        "S01": ["Q1", "Q2"],
        "S02": ["Q3"],
    }
    ours = run.public.scores
    both = ours.join(back.scores, on=["organisation", "measure"], suffix="_back", maintain_order="left")
    assert both.height == ours.height == 8 * 5
    for column in ("n", "score", "z", "band", "limit_worse", "limit_much_better"):
        assert both[column].to_list() == both[f"{column}_back"].to_list(), column
    assert back.public.scores.equals(back.scores)


def test_sections_that_the_scores_contradict_are_not_believed(book: Path) -> None:
    sound = read_workbook(book)
    assert sound.decimals == 1 and sound.sections == {"S01": ("Q1", "Q2"), "S02": ("Q3",)}

    def sections_of(changed: Workbook) -> dict[str, list[str]]:
        survey = instrument_of(changed)
        return {s.code: [q.code for q in survey.members(s.code)] for s in survey.sections}

    assert sections_of(sound)["S01"] == ["Q1", "Q2"]
    for sections in ({"S01": ("Q1", "Q9")}, {"S01": ("Q1", "Q3"), "S02": ("Q2",)}):
        with pytest.raises(StocktakeError):
            sections_of(replace(sound, sections=sections))


def test_statuses_are_the_same(run: Run, book: Path) -> None:
    assert set(published(book).scores["status"]) == set(run.scores["status"]) == {"shown"}
    assert Status.SHOWN == 0
