"""Nothing withheld ever appears: in no table, page or file that a run writes."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pypdfium2
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import oracle
from helpers import Case, cases, small_survey
from stocktake.results import Results
from stocktake.run.benchmark import benchmark
from stocktake.run.quality import benchmark_folder
from stocktake.run.reporting import make_reports
from stocktake.survey.instrument import Method

RELAXED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FIGURES = ("n", "score", "standard_error", "lower_95", "upper_95", "z", "band", "limit_worse", "limit_better")


@RELAXED
@given(case=cases(organisations=4, groups=True), minimum=st.integers(2, 12))
def test_withheld_rows_hold_no_figure(case: Case, minimum: int) -> None:
    assume(case.frame.height > 0)
    method = {"minimum_base": minimum}
    run = benchmark(
        instrument=case.survey,
        responses=case.frame,
        organisations={c: f"Name {c}" for c in case.organisations},
        settings=method,
    )
    for group in (None, *(g.code for g in case.survey.groups)):
        expected = oracle.estimate(case.rows(group), case.sections, list(case.organisations), minimum_base=minimum)
        rows = run.scores.filter(pl.col("group") == (group or "all"))
        for row in rows.iter_rows(named=True):
            hidden = expected[row["organisation"], row["measure"]].withheld
            assert hidden == (row["status"] in ("withheld", "no data"))
            if hidden:
                assert all(row[c] is None for c in FIGURES)
                assert row["reason"]


# A base, and what may be told of it: figures so odd that they can only be the withheld ones.
BASE, RESPONDENTS, MINIMUM = 2917, 4003, 3000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four trusts; T1 has 2,917 scored answers to Q1 where 3,000 are needed, in both years."""
    folder = tmp_path_factory.mktemp("withheld")
    survey = small_survey({"S01": [3, 3], "S02": [3]}, method=Method(minimum_base=MINIMUM, minimum_answers=0))
    rng = np.random.default_rng(3)
    for year in (2024, 2023):
        tables = []
        for k in range(4):
            codes = np.array([1, 2, 3])[rng.integers(0, 3, RESPONDENTS)]
            q1: Any = pl.Series("Q1", codes)
            if k == 1:
                q1 = q1.set(pl.Series(np.arange(RESPONDENTS) >= BASE), None)
            tables.append(
                pl.DataFrame(
                    {
                        "respondent": [f"{year}-{k}-{i}" for i in range(RESPONDENTS)],
                        "organisation": [f"T{k}"] * RESPONDENTS,
                        "kind": rng.integers(1, 3, RESPONDENTS),
                        "Q1": q1,
                        "Q2": rng.integers(1, 4, RESPONDENTS),
                        "Q3": rng.integers(1, 4, RESPONDENTS),
                    }
                )
            )
        pl.concat(tables).write_csv(folder / f"{year}.csv")
    import yaml

    data = survey.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    (folder / "own.yaml").write_text(yaml.safe_dump(data))
    (folder / "organisations.csv").write_text("code,name\nT0,Zero\nT1,One\nT2,Two\nT3,Three\n")
    (folder / "survey.yaml").write_text(
        "instrument: own.yaml\nwaves:\n  - {year: 2024, responses: 2024.csv}\n  - {year: 2023, responses: 2023.csv}\n"
    )
    benchmark_folder(folder)
    make_reports(folder, None)
    return folder


def withheld_figures(folder: Path) -> set[str]:
    """Every way in which the withheld base and scores could be written."""
    figures = {str(BASE), f"{BASE:,}"}
    for year in (2024, 2023):
        frame = pl.read_csv(folder / f"{year}.csv")
        rows = [
            oracle.Row(
                r["organisation"],
                r["kind"] - 1,
                {q: None if r[q] is None else (r[q] - 1) * 5.0 for q in ("Q1", "Q2", "Q3")},
            )
            for r in frame.iter_rows(named=True)
        ]
        found = oracle.estimate(
            rows, {"S01": ["Q1", "Q2"], "S02": ["Q3"]}, ["T0", "T1", "T2", "T3"], minimum_base=MINIMUM
        )
        for measure in ("Q1", "S01"):
            result = found["T1", measure]
            assert result.withheld
            for value in (result.score, result.standard_error):
                assert value is not None
                figures.add(f"{value:.12f}"[:9])
    return figures


def everything(path: Path) -> str:
    """All that a file holds, its compressed parts undone."""
    data = path.read_bytes()
    if path.suffix == ".parquet":
        return pl.read_parquet(path).write_csv()
    if path.suffix != ".pdf":
        return data.decode("utf-8", "replace")
    document = pypdfium2.PdfDocument(data)
    parts = [p.get_textpage().get_text_range() for p in document]
    parts.append(str(document.get_metadata_dict()))
    at = 0
    while (start := data.find(b"stream", at)) >= 0:
        at = start + 6
        try:
            parts.append(zlib.decompressobj().decompress(data[at:].lstrip(b"\r\n")).decode("latin-1"))
        except zlib.error:
            continue
    return "\n".join(parts)


def test_no_written_file_holds_a_withheld_figure(folder: Path) -> None:
    figures = withheld_figures(folder)
    read = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.parent != folder:
            content = everything(path)
            read += 1
            for figure in figures:
                # Inside the digits of another figure the same digits mean nothing.
                found = re.search(
                    rf"(?<![\d.]){re.escape(figure)}(?!\.\d)" + ("" if "." in figure else r"(?!\d)"), content
                )
                assert found is None, f"{figure} stands in {path.relative_to(folder)}"
    assert read >= 5 * 2 + 1 + 2 + 4 * 2


def test_the_search_would_find_a_figure_that_is_shown(folder: Path) -> None:
    """The same search finds what is not withheld, in every kind of file."""
    scores = Results.read(folder / "results").scores
    shown = scores.filter((pl.col("organisation") == "T0") & (pl.col("measure") == "Q1") & (pl.col("year") == 2024))
    row = shown.row(0, named=True)
    assert f"{row['score']:.12f}"[:9] in everything(folder / "results" / "scores.csv")
    assert f"{row['score']:.12f}"[:9] in everything(folder / "results" / "scores.parquet")
    assert f"You {row['score']:.1f}" in everything(folder / "reports" / "T0" / "benchmark-report.pdf")
    assert f"{row['n']:,}" in everything(folder / "reports" / "T0" / "benchmark-report.pdf")


def test_the_change_of_a_withheld_year_is_withheld_with_its_base(folder: Path) -> None:
    changes = Results.read(folder / "results").changes
    row = changes.filter((pl.col("organisation") == "T1") & (pl.col("measure") == "Q1")).row(0, named=True)
    assert row["status"] == "withheld"
    for column in ("n_then", "n_now", "score_then", "score_now", "difference", "statistic", "verdict"):
        assert row[column] is None
