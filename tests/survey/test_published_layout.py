"""The importer on a made-up workbook of the programme's layout, with other prefixes and every kind of fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import xlsxwriter

from stocktake.compare.expected_range import CUTS
from stocktake.problems import StocktakeError
from stocktake.run.workbook import published
from stocktake.survey import published as published_module
from stocktake.survey.published import infer_sections, instrument_of
from stocktake.survey.workbooks import read_workbook

QUESTIONS = ("Q1", "Q2", "Q3_1", "Q4")
SECTIONS = {"S01": ("Q1", "Q2"), "S02": ("Q3_1",), "S03": ("Q4",)}
SITES = [f"X{i:02d}" for i in range(12)]


def tables(seed: int = 5) -> dict[str, list[list[Any]]]:
    """A workbook of an emergency-care survey by site: `SiteCode`, `_sres`, `sr_rate`."""
    rng = np.random.default_rng(seed)
    value = {q: rng.uniform(4, 9.9, len(SITES)).tolist() for q in QUESTIONS}
    value["Q4"][3] = None
    for section, members in SECTIONS.items():
        value[section] = [
            None if any(value[m][i] is None for m in members) else float(np.mean([value[m][i] for m in members]))
            for i in range(len(SITES))
        ]
    codes = [*QUESTIONS, *SECTIONS]
    header = ["SiteCode", "SiteName", "n_spat"]
    rows: list[list[Any]] = [[s, f"Site {s}", 300 + i] for i, s in enumerate(SITES)]
    for code in codes:
        header += [f"mean{code}", f"ll95{code}", f"ul95{code}", f"band{code}"]
        centre = np.mean([v for v in value[code] if v is not None])
        for row, v in zip(rows, value[code], strict=True):
            spread = 0.2 + 0.02 * len(row)
            low, high = (float(np.clip(centre + s * CUTS[1] * spread, 0, 10)) for s in (-1, 1))
            row += ["", "", "", 0] if v is None else [v, low, high, 99]
    bases = [["SiteCode", "SiteName", *(f"{q}_sres" for q in QUESTIONS), "n_spat", "sr_rate", "age1_spc", "age2_spc"]]
    bases += [[s, f"Site {s}", *(100 + j for j in range(4)), 300 + i, 25.5, 40.0, 60.0] for i, s in enumerate(SITES)]
    national = [["Q1_res", "n_pat", "r_rate", "age1_pc", "age2_pc"], [1200, 3666, 26.5, 41.0, 59.0]]
    history = [["SurveyYear", "SiteCode", "SiteName", "n_spat_H", "Q1_mean_H", "Q1_Base_unw", "Q1_sig"]]
    history += [[2021, s, f"Site {s}", 250, 6.0, 90, k] for s, k in zip(SITES[1:4], (-1, 0, 1), strict=True)]
    return {
        "Guidance": [
            ["NHS Made-up Care Survey 2023"],
            ["Non-comparable sites/trusts"],
            ["(X99)"],
            ["It is not possible to compare the below sites, which merged:"],
            ["Site X00 (X00)"],
            ["Further information"],
            ["Nothing (X05)"],
        ],
        "Key": [["Sheet", "Variable", "Text"], ["A", "age1_spc", "Percentage aged under 50 (per site)"]],
        "Site_Respondents": bases,
        "Site_Scores": [header, *rows],
        "National_Respondents": national,
        "Historical_Comparisonsto2021": history,
    }


def write(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = xlsxwriter.Workbook(str(path))
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for i, row in enumerate(rows):
            sheet.write_row(i, 0, ["" if c is None else c for c in row])
    book.close()
    return path


def test_other_prefixes_and_years(tmp_path: Path) -> None:
    path = write(tmp_path / "care.xlsx", tables())
    book = read_workbook(path)
    assert (book.year, book.title, len(book.organisations)) == (2023, "Made-up Care Survey 2023", 12)
    assert book.national_rate == pytest.approx(0.265)
    assert book.labels == {"age1": "Aged under 50"}
    assert book.incomparable["X00"].startswith("It is not possible to compare this organisation")
    assert set(book.incomparable) == {"X99", "X00"}
    survey = instrument_of(book)
    assert {s.code: tuple(q.code for q in survey.members(s.code)) for s in survey.sections} == SECTIONS
    assert survey.by_code["Q1"].comparable == {2021: "Q1"}
    assert [o.label for o in survey.demographic("age").options] == ["Aged under 50", "age 2"]


def test_the_published_band_is_not_read(tmp_path: Path) -> None:
    """The band column says 99 throughout; ours come from the scores."""
    run = published(write(tmp_path / "care.xlsx", tables()))
    now = run.scores.filter(pl.col("year") == 2023)
    assert now["band"].max() <= 7  # type: ignore[operator]
    assert now.filter(pl.col("status") == "withheld").select("organisation", "measure").rows() == [
        ("X03", "Q4"),
        ("X03", "S03"),
    ]
    changes = {(r["organisation"], r["measure"]): r for r in run.changes.iter_rows(named=True)}
    assert changes["X01", "Q1"]["verdict"] == "Decrease"
    assert changes["X03", "Q1"]["verdict"] == "Increase"
    assert changes["X00", "Q1"]["reason"].endswith("merged.")
    assert changes["X07", "Q1"]["reason"] == "The workbook has no 2021 results for this trust."
    assert changes["X01", "Q2"]["reason"] == "The workbook has no 2021 results for this question."
    assert run.report("X03").report.organisation == "Site X03"


def test_without_the_columns_of_bands(tmp_path: Path) -> None:
    """Bands are not read, so that a workbook without them gives the same results."""
    whole = tables()
    header, *rows = whole["Site_Scores"]
    kept = [i for i, name in enumerate(header) if not name.startswith("band")]
    bare = {**whole, "Site_Scores": [[row[i] for i in kept] for row in (header, *rows)]}
    one, other = (published(write(tmp_path / f"{n}.xlsx", t)) for n, t in (("a", whole), ("b", bare)))
    assert one.scores.equals(other.scores)


def test_without_national_sheet_key_guidance_or_history(tmp_path: Path) -> None:
    sheets = {k: v for k, v in tables().items() if k.startswith("Site")}
    run = published(write(tmp_path / "care_2019.xlsx", sheets))
    assert run.survey.year == 2019
    assert run.fieldwork["national_response_rate"].null_count() == 12
    assert run.changes.height == 0
    assert run.report("X00").report.pages
    with pytest.raises(StocktakeError, match="no year"):
        read_workbook(write(tmp_path / "care.xlsx", sheets))


def test_an_instrument_of_another_year_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's instrument is that of the workbook only if the year is the same, and the measures are."""
    book = read_workbook(write(tmp_path / "care.xlsx", tables()))
    own = instrument_of(book)
    known = {"before": own.model_copy(update={"year": book.year - 1, "code": "before"})}
    monkeypatch.setattr(published_module, "library", lambda: tuple(known))
    monkeypatch.setattr(published_module, "load", known.__getitem__)
    assert instrument_of(book).code != "before"
    known["same"] = own.model_copy(update={"code": "same"})
    assert instrument_of(book).code == "same"


def test_an_instrument_with_the_wording(tmp_path: Path) -> None:
    path = write(tmp_path / "care.xlsx", tables())
    lines = ["code: care", "title: Care", "year: 2023", "sections:"]
    lines += [f"  - {{code: {s}, number: {i}, title: Part {i}}}" for i, s in enumerate(SECTIONS, start=1)]
    lines.append("questions:")
    for section, members in SECTIONS.items():
        lines += [f"  - {{code: {q}, text: 'Wording of {q}?', section: {section}}}" for q in members]
    (tmp_path / "care.yaml").write_text("\n".join(lines))
    run = published(path, instrument=tmp_path / "care.yaml")
    assert "Wording of Q3_1?" in run.measures["text"].to_list()
    (tmp_path / "short.yaml").write_text(
        "\n".join(lines[:-1]).replace("  - {code: S03, number: 3, title: Part 3}\n", "")
    )
    with pytest.raises(StocktakeError, match="Q4 is scored in the workbook but not here"):
        published(path, instrument=tmp_path / "short.yaml")


@pytest.mark.parametrize(
    ("sheet", "row", "column", "value", "expected"),
    [
        ("Site_Scores", 2, "meanQ1", "six", "sheet Site_Scores, row 3, column meanQ1: found 'six', expected a number"),
        ("Site_Scores", 2, "meanQ1", True, "row 3, column meanQ1: found 'True', expected a number"),
        ("Site_Scores", 0, "ll95Q1", "lower", "column ll95Q1 is missing"),
        (
            "Site_Scores",
            0,
            "SiteCode",
            "Kode",
            "no column for the organisation's TrustCode; expected a name such as TrustCode.",
        ),
        ("Site_Scores", 2, "SiteCode", "X00", "'X00' appears 2 times"),
        ("Site_Respondents", 2, "SiteCode", "Y77", "no row for X01, which has scores"),
        ("Site_Respondents", 0, "sr_rate", "rate", "no column for the response rate"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, sheet: str, row: int, column: str, value: Any, expected: str) -> None:
    sheets = tables()
    sheets[sheet][row][sheets[sheet][0].index(column)] = value
    with pytest.raises(StocktakeError) as error:
        read_workbook(write(tmp_path / "care.xlsx", sheets))
    assert any(expected in p for p in error.value.problems), error.value.problems


def test_figures_written_as_text_are_figures(tmp_path: Path) -> None:
    sheets = tables()
    place = sheets["Site_Scores"][0].index("meanQ2")
    expected = sheets["Site_Scores"][1][place]
    sheets["Site_Scores"][1][place] = f" {expected} "
    assert read_workbook(write(tmp_path / "care.xlsx", sheets)).value[0, 1] == pytest.approx(expected)


def test_missing_sheets_and_no_scores(tmp_path: Path) -> None:
    sheets = tables()
    with pytest.raises(StocktakeError, match="no sheet such as Trust_Scores; found Guidance, Key"):
        read_workbook(write(tmp_path / "a.xlsx", {k: v for k, v in sheets.items() if k != "Site_Scores"}))
    sheets["Site_Scores"] = [row[:3] for row in sheets["Site_Scores"]]
    with pytest.raises(StocktakeError, match="no score column"):
        read_workbook(write(tmp_path / "b.xlsx", sheets))


def test_limits_that_give_no_spread(tmp_path: Path) -> None:
    sheets = tables()
    header = sheets["Site_Scores"][0]
    for column, end in (("ll95Q1", 0), ("ul95Q1", 10)):
        sheets["Site_Scores"][1][header.index(column)] = end
    with pytest.raises(StocktakeError, match="Q1 of X00 has a score but its 95% limits"):
        published(write(tmp_path / "care.xlsx", sheets))


def test_sections_that_are_no_mean_need_an_instrument(tmp_path: Path) -> None:
    sheets = tables()
    place = sheets["Site_Scores"][0].index("meanS01")
    for row in sheets["Site_Scores"][1:]:
        row[place] = row[place] * 0.9
    with pytest.raises(StocktakeError, match="S01, Q1, Q2\\); give an instrument file"):
        published(write(tmp_path / "care.xlsx", sheets))


def test_too_few_organisations_to_infer_from() -> None:
    assert infer_sections(["Q1", "Q2", "S01"], np.array([[1.0, 3.0, 2.0]])) == {}


def test_a_history_year_from_its_own_column(tmp_path: Path) -> None:
    sheets = tables()
    sheets["Historical_Comparisons"] = sheets.pop("Historical_Comparisonsto2021")
    book = read_workbook(write(tmp_path / "care.xlsx", sheets))
    assert [h.year for h in book.history] == [2021]


def test_files_that_are_no_workbook(tmp_path: Path) -> None:
    with pytest.raises(StocktakeError, match="no such file"):
        read_workbook(tmp_path / "nowhere.ods")
    (tmp_path / "broken.ods").write_text("not a workbook")
    with pytest.raises(StocktakeError, match="cannot be read as a workbook"):
        read_workbook(tmp_path / "broken.ods")


def test_the_library_is_used_where_its_questions_match(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A workbook with the questions and year of a library instrument gets that instrument."""
    from stocktake.survey import published as module

    book = read_workbook(write(tmp_path / "care.xlsx", tables()))
    own = instrument_of(book).model_copy(update={"title": "From the library"})
    monkeypatch.setattr(module, "library", lambda: ("care",))
    monkeypatch.setattr(module, "load", lambda code: own)
    assert module.instrument_of(book).title == "From the library"
