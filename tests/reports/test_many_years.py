"""Change over more than two years: any two of them tested, and what an organisation was formed of shown and never averaged."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from helpers import small_survey
from stocktake.problems import StocktakeError
from stocktake.reports.model import Number, Page, Table, blocks_of
from stocktake.results.store import read_results
from stocktake.run.benchmark import benchmark
from stocktake.run.core import Run, open_run
from stocktake.survey.instrument import Method

YEARS = (2021, 2022, 2023, 2024)


def write_years(folder: Path, predecessors: str = "[A1, A2]") -> Path:
    """Four years; T0 was formed of A1 and A2 after 2022, and T1 was left out in 2022."""
    survey = small_survey(
        {"S01": [3, 3]}, method=Method(minimum_answers=0, minimum_base=10, draws=0, maximum_rejected=1)
    )
    questions = tuple(q.model_copy(update={"comparable": dict.fromkeys(YEARS[:3], q.code)}) for q in survey.questions)
    survey = survey.model_copy(update={"questions": questions})
    (folder / "instrument.yaml").write_text(
        yaml.safe_dump(survey.model_dump(mode="json", by_alias=True, exclude_defaults=True)), "utf-8"
    )
    waves = []
    for year in YEARS:
        rng = np.random.default_rng(year)
        codes = ["T0", "T1", "T2", "T3"] if year > 2022 else ["A1", "A2", "T1", "T2", "T3"]
        size = 60 * len(codes)
        better = {"T2": (2024 - year) / 4}
        own = np.repeat(codes, 60)
        shift = np.array([better.get(c, 0.3) for c in own])
        answers = {f"Q{k}": np.clip(rng.integers(1, 4, size) + (rng.random(size) < shift), 1, 3) for k in (1, 2)}
        pl.DataFrame({"organisation": own, "kind": rng.integers(1, 3, size), **answers}).write_csv(
            folder / f"{year}.csv"
        )
        (folder / f"{year}-list.csv").write_text("code,name\n" + "".join(f"{c},Trust {c}\n" for c in codes), "utf-8")
        waves.append(f"  - {{year: {year}, responses: {year}.csv, organisations: {year}-list.csv}}\n")
    reasons = "".join(
        f'  - {{organisation: T0, year: {y}, kind: merged, reason: "Formed of two.", predecessors: {predecessors}}}\n'
        for y in (2021, 2022)
    )
    (folder / "survey.yaml").write_text(
        f"instrument: instrument.yaml\norganisations: 2024-list.csv\nwaves:\n{''.join(waves)}not_comparable:\n{reasons}"
        '  - {organisation: T1, year: 2022, kind: excluded, reason: "Left out in 2022."}\n',
        "utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return benchmark(write_years(tmp_path_factory.mktemp("years")))


def test_any_two_years_are_tested(run: Run) -> None:
    """Each difference is that of the two scores, its test the z of their errors; those left out have their reason."""
    scores = {(r["year"], r["organisation"], r["measure"]): r for r in run.scores.iter_rows(named=True)}
    rows = run.changes.to_dicts()
    assert {(r["year_then"], r["year_now"]) for r in rows} == {(a, b) for a in YEARS for b in YEARS if a < b}
    tested = [r for r in rows if r["verdict"] is not None]
    for row in tested:
        then, now = (scores[row[f"year_{end}"], row["organisation"], row["measure"]] for end in ("then", "now"))
        assert row["difference"] == pytest.approx(now["score"] - then["score"])
        error = (now["standard_error"] ** 2 + then["standard_error"] ** 2) ** 0.5
        assert row["statistic"] == pytest.approx(row["difference"] / error)
        assert row["verdict"] == (
            "No change" if abs(row["statistic"]) < 1.959964 else "Increase" if row["difference"] > 0 else "Decrease"
        )
    assert {r["organisation"] for r in tested if r["year_now"] == 2022} == {"A1", "A2", "T2", "T3"}
    excluded = [r for r in rows if r["organisation"] == "T1" and 2022 in (r["year_then"], r["year_now"])]
    assert {r["status"] for r in excluded} == {"not comparable"} and {
        r["reason"] for r in excluded if r["year_now"] != 2024
    } >= {"Left out in 2022."}
    latest = run.results.latest_changes
    assert set(latest["year_now"]) == {2024} and set(latest["year_then"]) == {2021, 2022, 2023}


def page_of(run: Run, code: str, kind: str) -> list[Page]:
    return [p for p in run.report(code).report.pages if p.kind == kind]


def test_the_report_has_a_table_of_any_two_years(run: Run) -> None:
    tables = [b for b in blocks_of(run.report("T2").report) if isinstance(b, Table) and "any two years" in b.title]
    assert len(tables) == 2 and tables[0].header == ("", "To 2022", "To 2023", "To 2024")
    public = {
        (r["year_then"], r["year_now"]): r
        for r in run.public.changes.iter_rows(named=True)
        if r["organisation"] == "T2" and r["measure"] == "Q1"
    }
    for row in tables[0].rows:
        then = int(str(row[0]).removeprefix("From "))
        for now, cell in zip((2022, 2023, 2024), row[1:], strict=True):
            if now <= then:
                assert cell == ""
                continue
            assert isinstance(cell, Number)
            known = public[then, now]
            assert float(re.sub("[▲▼ +]", "", cell.text)) == pytest.approx(known["difference"])
            assert ("▼" in cell.text) == (known["verdict"] == "Decrease") and ("▲" in cell.text) == (
                known["verdict"] == "Increase"
            )
    assert any("▼" in c.text for r in tables[0].rows for c in r if isinstance(c, Number))
    # Two years to compare need no such table.
    assert not [b for b in blocks_of(run.report("T0").report) if isinstance(b, Table) and "any two years" in b.title]


def test_predecessors_are_shown_each_by_itself(run: Run) -> None:
    (page,) = page_of(run, "T0", "change-predecessors")
    table = next(b for b in page.blocks if isinstance(b, Table))
    assert table.header == ("Section or question", "Trust A1, 2022", "Trust A2, 2022", "Your trust, 2024")
    scores = {(r["year"], r["organisation"], r["measure"]): r["score"] for r in run.public.scores.iter_rows(named=True)}
    for row, measure in zip(table.rows, ("S01", "Q1", "Q2"), strict=True):
        found = [c.value for c in row[1:] if isinstance(c, Number)]
        assert found == [scores[2022, "A1", measure], scores[2022, "A2", measure], scores[2024, "T0", measure]]
    assert page_of(run, "T2", "change-predecessors") == []


def test_a_misspelt_predecessor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StocktakeError, match=r"not_comparable: no organisation 'A3' in 2021\."):
        benchmark(write_years(tmp_path, "[A3]"))


def test_the_demos_merged_trust_has_its_two(demo: Path) -> None:
    (page,) = page_of(open_run(demo), "Z52", "change-predecessors")
    table = next(b for b in page.blocks if isinstance(b, Table))
    assert len(table.header) == 4 and len(table.rows) > 35


def test_every_trust_of_the_official_workbook_has_its_three_years(imported: Path) -> None:
    """2020, 2021 and 2022 of all 133 trusts: verdicts as published, and none made up between 2020 and 2021."""
    run = open_run(imported)
    changes = read_results(imported / "results").changes
    pairs = set(changes.select("year_then", "year_now").unique().iter_rows())
    assert pairs == {(2021, 2022), (2020, 2022), (2020, 2021)}
    between = changes.filter(pl.col("year_now") == 2021)
    assert between["verdict"].null_count() == between.height
    assert set(between.filter(pl.col("difference").is_not_null())["status"]) == {"not published"}
    assert len(run.organisations) == 133
    shown = 0
    for code in run.organisations:
        chapter = [p for p in run.report(code).report.pages if p.kind.startswith("change")]
        assert chapter
        tables = [b for p in chapter for b in blocks_of_page(p) if isinstance(b, Table) and "any two years" in b.title]
        shown += bool(tables)
        for table in tables[:1]:
            assert table.header == ("", "To 2021", "To 2022")
    assert shown > 100


def blocks_of_page(page: Page) -> list[object]:
    from dataclasses import replace

    from stocktake.reports.model import Report

    whole = Report("", "", "", "", "", (page,), "")
    return list(blocks_of(replace(whole)))
