"""Nothing withheld ever appears: in no table, page or file that a run writes."""

from __future__ import annotations

import contextlib
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pypdfium2
import pytest
import python_calamine
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import oracle
from helpers import Case, cases, small_survey
from stocktake.results.store import read_results
from stocktake.run.benchmark import benchmark
from stocktake.run.core import open_run
from stocktake.run.documents import EDITIONS, FORMATS, NATIONAL
from stocktake.run.quality import benchmark_folder
from stocktake.run.reporting import make_national_documents, make_reports
from stocktake.run.site import make_site
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
        disclosure={"complementary": False},
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


# Figures so odd that they can only be the withheld ones: the base of one question, and a service group's participants.
BASE, RESPONDENTS, MINIMUM, GROUP = 1453, 4003, 1500, 1409
CODES = ("T0", "T1", "T2", "T3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four trusts, two groups; T1 has 1,453 scored answers to Q1 and T2 1,409 people in group B, where 1,500 are needed.

    Every edition in every format is made of it, with the national tables, the annex and the site.
    """
    folder = tmp_path_factory.mktemp("withheld")
    method = Method(minimum_base=MINIMUM, minimum_answers=0, draws=30)
    survey = small_survey({"S01": [3, 3], "S02": [3]}, method=method, groups=("A", "B"))
    rng = np.random.default_rng(3)
    for year in (2024, 2023):
        tables = []
        for k in range(4):
            codes = np.array([1, 2, 3])[rng.integers(0, 3, RESPONDENTS)]
            q1: Any = pl.Series("Q1", codes)
            if k == 1:
                q1 = q1.set(pl.Series(np.arange(RESPONDENTS) >= BASE), None)
            few = GROUP if k == 2 else 1800 + k
            tables.append(
                pl.DataFrame(
                    {
                        "respondent": [f"{year}-{k}-{i}" for i in range(RESPONDENTS)],
                        "organisation": [f"T{k}"] * RESPONDENTS,
                        "service": ["B" if i < few else "A" for i in range(RESPONDENTS)],
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
    made = make_reports(folder, None, editions=EDITIONS, formats=FORMATS)
    assert not [m for m in made if m.missing]
    make_national_documents(folder, NATIONAL)
    make_site(folder)
    return folder


def withheld_figures(folder: Path) -> set[str]:
    """Every way in which the withheld numbers of people and scores could be written."""
    figures = {str(BASE), f"{BASE:,}", str(GROUP), f"{GROUP:,}"}
    sections = {"S01": ["Q1", "Q2"], "S02": ["Q3"]}
    for year in (2024, 2023):
        frame = pl.read_csv(folder / f"{year}.csv")
        for group, trust, measures in ((None, "T1", ("Q1", "S01")), ("B", "T2", ("Q1", "Q2", "Q3", "S01", "S02"))):
            rows = [
                oracle.Row(
                    r["organisation"],
                    r["kind"] - 1,
                    {q: None if r[q] is None else (r[q] - 1) * 5.0 for q in ("Q1", "Q2", "Q3")},
                )
                for r in frame.iter_rows(named=True)
                if group is None or r["service"] == group
            ]
            found = oracle.estimate(rows, sections, list(CODES), minimum_base=MINIMUM)
            for measure in measures:
                result = found[trust, measure]
                assert result.withheld
                for value in (result.score, result.standard_error):
                    assert value is not None
                    figures.add(f"{value:.12f}"[:9])
    return figures


def parts(name: str, data: bytes) -> Iterator[tuple[str, str]]:
    """All that a file holds as text: its compressed parts undone, files inside files opened, properties and attachments."""
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for inner in archive.namelist():
                yield from parts(f"{name}/{inner}", archive.read(inner))
    elif data[:5] == b"%PDF-":
        document = pypdfium2.PdfDocument(data)
        assert document.count_attachments() == 0
        yield name, "\n".join(p.get_textpage().get_text_range() for p in document)
        yield name, str(document.get_metadata_dict())
        at = 0
        while (start := data.find(b"stream", at)) >= 0:
            at = start + 6
            with contextlib.suppress(zlib.error):
                yield name, zlib.decompressobj().decompress(data[at:].lstrip(b"\r\n")).decode("latin-1")
    elif name.endswith(".parquet"):
        yield name, pl.read_parquet(io.BytesIO(data)).write_csv()
    else:
        yield name, data.decode("utf-8", "replace")


def everything(path: Path) -> str:
    return "\n".join(text for _, text in parts(path.name, path.read_bytes()))


def pattern(figures: set[str]) -> re.Pattern[str]:
    """The figures, but not inside the digits of another, where the same digits mean nothing."""
    whole = "|".join(re.escape(f) + r"(?![\d.]\d)(?!\d)" for f in sorted(figures) if "." not in f)
    broken = "|".join(re.escape(f) for f in sorted(figures) if "." in f)
    return re.compile(rf"(?<![\d.#])(?:{whole}|{broken})")


# Places in a drawing and sizes on a sheet are no figures of a survey.
GEOMETRY = re.compile(
    r'\b(?:x|y|x1|x2|y1|y2|cx|cy|r|w|h|l|t|width|height|points|d|id|sz|off|ext|val|marL|viewBox)="[^"]*"'
)


def test_no_written_file_holds_a_withheld_figure(folder: Path) -> None:
    wanted = pattern(withheld_figures(folder))
    kinds: Counter[str] = Counter()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.parent != folder:
            kinds[path.suffix] += 1
            for name, text in parts(path.name, path.read_bytes()):
                if name.endswith((".xml", ".html", ".svg")):
                    text = GEOMETRY.sub("", text)
                found = wanted.search(text) if not _drawing(name, text) else None
                assert found is None, f"{found and found[0]} stands in {path.relative_to(folder)} ({name})"
    least = {
        ".pdf": 4 * 4 + 2,
        ".pptx": 8,
        ".xlsx": 8 + 4,
        ".ods": 8 + 4,
        ".html": 4 * 2 + 5 + 5,
        ".csv": 18,
        ".parquet": 6,
    }
    assert all(kinds[k] >= n for k, n in least.items()), kinds


def _drawing(name: str, text: str) -> bool:
    """A PDF's drawing operators, whose numbers are places on a page; its words are read from the page itself."""
    return name.endswith(".pdf") and " re\n" in text[:20000] and "BT" in text


def test_charts_hold_no_value_but_those_shown(folder: Path) -> None:
    """Every number of a deck's embedded workbooks is a shown score to one decimal, a count, a share or a step of a strip."""
    path = folder / "reports" / "T1" / "benchmark-report.pptx"
    charts = 0
    with zipfile.ZipFile(path) as deck:
        for name in deck.namelist():
            if name.startswith("ppt/embeddings/"):
                charts += 1
                book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(deck.read(name)))
                assert len(book.sheet_names) == 1
                for row in book.get_sheet_by_name(book.sheet_names[0]).to_python():
                    for cell in row:
                        if isinstance(cell, float):
                            assert abs(cell * 10 - round(cell * 10)) < 1e-9, (name, cell)
    assert charts > 5


def test_the_search_would_find_a_figure_that_is_shown(folder: Path) -> None:
    """The same search finds what is not withheld, in every kind of file."""
    scores = read_results(folder / "results").scores
    shown = scores.filter(
        (pl.col("organisation") == "T0")
        & (pl.col("measure") == "Q1")
        & (pl.col("year") == 2024)
        & (pl.col("group") == "all")
    )
    row = shown.row(0, named=True)
    wanted = pattern({f"{row['score']:.12f}"[:9], f"{row['n']}", f"{row['n']:,}"})
    reports = folder / "reports" / "T0"
    for path in (
        folder / "results" / "scores.csv",
        folder / "results" / "scores.parquet",
        reports / "benchmark-report.pdf",
        reports / "benchmark-report.xlsx",
        reports / "benchmark-report.ods",
        reports / "benchmark-report.pptx",
        folder / "site" / "trusts" / "T0.html",
        folder / "site" / "data" / "national-tables.ods",
        folder / "national" / "published-layout.xlsx",
        folder / "national" / "scores.csv",
    ):
        assert wanted.search(everything(path)), path
    assert f"You {row['score']:.1f}" in everything(reports / "benchmark-report.pdf")


def test_what_is_hidden_cannot_be_found_by_subtraction(folder: Path) -> None:
    """T2's group B is withheld: what is printed of the whole and of group A leaves its number open by five or more."""
    work = open_run(folder).public.fieldwork.filter(pl.col("year") == 2024)
    own = dict(work.filter(pl.col("organisation") == "T2").select("group", "completed").iter_rows())
    # 2,594 people in group A, to the nearest ten.
    assert own == {"all": RESPONDENTS, "A": 2590, "B": None}
    national = work.filter(pl.col("group") == "B")["national_completed"]
    assert national.null_count() == 4 or set(national) <= set(range(0, 20_000, 10))


def test_the_change_of_a_withheld_year_is_withheld_with_its_base(folder: Path) -> None:
    changes = read_results(folder / "results").changes
    mine = (pl.col("organisation") == "T1") & (pl.col("measure") == "Q1") & (pl.col("group") == "all")
    row = changes.filter(mine).row(0, named=True)
    assert row["status"] == "withheld"
    for column in ("n_then", "n_now", "score_then", "score_now", "difference", "statistic", "verdict"):
        assert row[column] is None
