"""A published figure for every formula: an official published workbook, recomputed without reading its bands or z."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import python_calamine

from stocktake.compare.change import Verdict, change
from stocktake.compare.expected_range import errors_from_spread
from stocktake.results.schemas import LIMITS
from stocktake.results.store import read_results
from stocktake.survey.instrument import load
from stocktake.survey.published import estimates_of, history_estimates, infer_sections, instrument_of
from stocktake.survey.workbooks import read_workbook


@pytest.fixture(scope="module")
def sheets(workbook: Path) -> dict[str, list[list[Any]]]:
    book = python_calamine.CalamineWorkbook.from_path(str(workbook))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


@pytest.fixture(scope="module")
def scores(imported: Path) -> pl.DataFrame:
    return read_results(imported / "results").scores.filter(pl.col("year") == 2022)


def published(sheets: dict[str, list[list[Any]]], column: str) -> dict[str, Any]:
    rows = sheets["Trust_Scores"]
    place = rows[0].index(column)
    return {r[0]: r[place] for r in rows[1:]}


def measure_codes(scores: pl.DataFrame) -> list[str]:
    return scores["measure"].unique(maintain_order=True).to_list()


def test_all_bands_come_out_as_published(sheets: Any, scores: pl.DataFrame) -> None:
    checked, withheld = 0, 0
    for measure in measure_codes(scores):
        theirs = published(sheets, f"band{measure}")
        for row in scores.filter(pl.col("measure") == measure).iter_rows(named=True):
            band = int(theirs[row["organisation"]])
            if band == 0:
                withheld += 1
                assert row["status"] == "withheld"
                assert row["score"] is None and row["n"] is None and row["band"] is None and row["z"] is None
            else:
                checked += 1
                assert row["band"] == band, (measure, row["organisation"])
    assert checked == 7_434
    assert withheld == 14


def test_z_and_limits(sheets: Any, scores: pl.DataFrame) -> None:
    names = dict(zip(("ll99", "ll95", "ll90", "ul90", "ul95", "ul99"), LIMITS, strict=True))
    for measure in measure_codes(scores):
        ours = {r["organisation"]: r for r in scores.filter(pl.col("measure") == measure).iter_rows(named=True)}
        for code, z in published(sheets, f"{measure}_Zfinal").items():
            if z != "":
                assert ours[code]["z"] == pytest.approx(z, abs=1e-6)
        for theirs, column in names.items():
            for code, limit in published(sheets, f"{theirs}{measure}").items():
                if limit != "":
                    assert ours[code][column] == pytest.approx(limit, abs=1e-6)


def test_lowest_and_highest(sheets: Any, scores: pl.DataFrame) -> None:
    header, row = sheets["National_Max&Min"][:2]
    stated_text = dict(zip(header, row, strict=True))
    for measure in measure_codes(scores):
        first = scores.filter(pl.col("measure") == measure).row(0, named=True)
        assert first["lowest"] == pytest.approx(stated_text[f"{measure}_min"], abs=1e-9)
        assert first["highest"] == pytest.approx(stated_text[f"{measure}_max"], abs=1e-9)


def test_what_is_not_published_is_null_and_says_so(imported: Path, scores: pl.DataFrame) -> None:
    results = read_results(imported / "results")
    for column in ("standard_error", "lower_95", "upper_95"):
        assert scores[column].null_count() == scores.height
    shown = scores.filter(pl.col("status") == "shown")
    assert shown["not_published"].str.contains("standard_error").all()
    measures = results.measures.filter(pl.col("year") == 2022)
    assert measures["phi"].null_count() == measures["tau2"].null_count() == measures.height == 56
    assert set(measures["status"]) == {"not published"}
    assert results.fieldwork["invited"].null_count() == results.fieldwork.height
    assert results.fieldwork["not_published"].str.contains("invited").all()
    sections = results.changes.filter(pl.col("kind") == "section")
    assert sections["verdict"].null_count() == sections.height
    assert (sections["status"].is_in(["not published", "withheld", "not comparable"])).all()


def test_verdicts_are_imported_and_say_so(sheets: Any, imported: Path) -> None:
    changes = read_results(imported / "results").changes
    assert set(changes["test"]) == {"imported"}
    assert changes["statistic"].null_count() == changes.height
    words = {1: "Increase", -1: "Decrease", 0: "No change"}
    header, *rows = sheets["Historical_Comparisonsto2021"]
    ours = {
        (r["organisation"], r["measure"]): r for r in changes.filter(pl.col("year_then") == 2021).iter_rows(named=True)
    }
    checked = 0
    for row in rows:
        for column, value in zip(header, row, strict=True):
            if column.endswith("_sig") and value != "":
                found = ours.get((row[1], column[:-4]))
                if found is not None and found["status"] == "shown":
                    assert found["verdict"] == words[int(value)]
                    checked += 1
    assert checked > 5_000


def test_a_merged_trust_has_its_reason(imported: Path) -> None:
    changes = read_results(imported / "results").changes
    merged = changes.filter((pl.col("organisation") == "RH8") & (pl.col("kind") == "question"))
    assert merged["verdict"].null_count() == merged.height
    stated = merged.filter((pl.col("year_then") == 2021) & (pl.col("status") == "not comparable"))
    assert stated["reason"].str.contains("merger|2021").all()


def test_response_rates_and_profile(sheets: Any, imported: Path) -> None:
    results = read_results(imported / "results")
    header, *rows = sheets["Trust_Respondents"]
    work = {r["organisation"]: r for r in results.fieldwork.filter(pl.col("year") == 2022).iter_rows(named=True)}
    shares = {
        (r["organisation"], r["variable"], r["option"]): r["percent"] for r in results.profile.iter_rows(named=True)
    }
    for row in rows:
        stated_text = dict(zip(header, row, strict=True))
        assert work[row[0]]["response_rate"] == pytest.approx(stated_text["tr_rate"] / 100)
        assert work[row[0]]["completed"] == stated_text["n_tpat"]
        assert shares[row[0], "eth", 1] == pytest.approx(stated_text["eth1_tpc"])


def test_section_membership_is_what_the_scores_say(workbook: Path) -> None:
    book = read_workbook(workbook)
    found = infer_sections(book.measures, book.value)
    instrument = load("adult_inpatient_2022")
    assert found == {s.code: tuple(q.code for q in instrument.members(s.code)) for s in instrument.sections}
    for section, members in found.items():
        own = book.value[:, book.measures.index(section)]
        mean = book.value[:, [book.measures.index(m) for m in members]].mean(axis=1)
        assert np.nanmax(np.abs(own - mean)) < 1e-6


def test_limits_clipped_at_the_ends_of_the_scale(sheets: Any, scores: pl.DataFrame) -> None:
    """The workbook clips limits at 0 and 10; the same ones are clipped here."""
    for theirs, column, end in (("ll99", "limit_much_worse", 0.0), ("ul99", "limit_much_better", 10.0)):
        clipped = {
            (measure, code)
            for measure in measure_codes(scores)
            for code, limit in published(sheets, f"{theirs}{measure}").items()
            if limit != "" and float(limit) == end
        }
        ours = scores.filter(pl.col(column) == end).select("measure", "organisation").rows()
        assert set(ours) == clipped
        assert clipped or end == 10.0


def test_published_significance_is_ours_but_for_what_is_not_published(workbook: Path) -> None:
    """The workbook prints neither standard errors nor those of earlier years.

    S gives this year's (see `errors_from_spread`); an earlier year's is taken as this year's for its own base and mean, the
    variance of answers on a scale of 0 to 10 growing as y (10 - y). With these 95% of the codes for 2021 and 91% of those for
    2020 come out. The others do because of what had to be supposed: most lie near the limit, where a small error of s decides.
    """
    book = read_workbook(workbook)
    survey = instrument_of(book)
    now, compared = estimates_of(survey, book)
    error, tau2 = errors_from_spread(now.value, compared.spread, compared.centre)
    assert (tau2 >= 0).all() and np.isfinite(error[compared.spread > 0]).all()

    def variance(y: Any) -> Any:
        return np.clip(y * (10 - y), 0.05, None)

    agreed = {}
    for history in book.history:
        then, verdict = history_estimates(survey, book, history)
        place = {c: i for i, c in enumerate(then.organisations)}
        unknown = np.full(len(now.measures), np.nan)
        code = np.array([verdict[place[c]] if c in place else unknown for c in now.organisations])
        earlier = then.select(now.organisations)
        guess = error * np.sqrt(now.n / earlier.n * variance(earlier.value) / variance(now.value))
        tested = change((now.value, error, now.n), (earlier.value, guess, earlier.n))
        known = ~np.isnan(code) & (tested.verdict != int(Verdict.NONE))
        same = tested.verdict[known] == code[known]
        agreed[history.year] = (int(known.sum()), float(same.mean()))
        far = np.abs(np.abs(tested.statistic[known]) - 1.959964)
        # Where our z is far from the limit the codes agree nearly always; the differences gather about it.
        assert same[far > 0.5].mean() > 0.94 and same[far > 1].mean() > 0.99
        assert np.median(far[~same]) < 0.45 < np.median(far)
        # No code says the opposite of what the scores did.
        sign = np.sign((now.value - earlier.value)[known])
        assert (sign[code[known] != 0] == code[known][code[known] != 0]).all()
    assert agreed[2021][0] == 5669 and agreed[2021][1] == pytest.approx(0.952, abs=0.002)
    assert agreed[2020][0] == 5062 and agreed[2020][1] == pytest.approx(0.914, abs=0.002)
