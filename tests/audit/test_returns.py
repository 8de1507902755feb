"""Returned forms: what is read, what is asked, and what is refused."""

from __future__ import annotations

import datetime
import io
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from small_audit import register, spec
from stocktake.audit import workbooks
from stocktake.audit.answers import NO_SERVICE
from stocktake.audit.returns import Return, read_number, read_return
from stocktake.audit.templates import Question, cells_of_form, form_of, items_of, templates_of
from stocktake.audit.workbooks import cell_name, refusal
from stocktake.problems import StocktakeError
from stocktake.render.forms import form_bytes

SPEC, WHO = spec(), register()
LAST = {("beds", ()): 28.0, ("referrals", ("generic", "gp")): 55.0}


def blank(code: str = "T1", template: str = "", services: Any = None) -> Any:
    return form_of(SPEC, WHO.bodies[code], template, services or {}, LAST)


FULL: dict[tuple[str, tuple[str, ...]], Any] = {
    ("beds", ()): 30,
    **{("referrals", (t, s)): 10.0 * i for i, (t, s) in enumerate((("generic", "gp"), ("generic", "other"), ("crisis", "gp"), ("crisis", "other")), 1)},
    **{("accepted", (t,)): 5 for t in ("generic", "crisis")},
    **{("months", (t,)): 2.5 for t in ("generic", "crisis")},
}  # fmt: skip


def saved(
    tmp_path: Path, content: bytes, change: Callable[[Any], None] | None = None, name: str = "return.xlsx"
) -> Path:
    path = tmp_path / name
    if change is not None:
        book = openpyxl.load_workbook(io.BytesIO(content))
        change(book)
        out = io.BytesIO()
        book.save(out)
        content = out.getvalue()
    path.write_bytes(content)
    return path


def read(path: Path, services: Any = None) -> Return:
    return read_return(path, SPEC, WHO, services or {})


def values(found: Return) -> dict[tuple[str, tuple[str, ...]], float]:
    return {(e.item, e.parts): e.value for e in found.entries}


def test_a_full_return_comes_back_as_it_was(tmp_path: Path) -> None:
    found = read(saved(tmp_path, form_bytes(blank(), FULL)))
    assert (found.organisation, found.template, found.queries) == ("T1", "", ())
    assert values(found) == FULL
    entry = next(e for e in found.entries if e.item == "beds")
    assert (entry.sheet, entry.cell, entry.entered) == ("Organisation", "F4", "30")


def test_the_form_itself(tmp_path: Path) -> None:
    """Own team types, last year's figures, protected sheets and structure, and checks on every answer cell."""
    services = {"team": frozenset(["generic"])}
    path = saved(tmp_path, form_bytes(blank(services=services)))
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Start here", "Organisation", "Team type", "Last year team"]
    assert book.security.lockStructure
    assert all(s.protection.sheet for s in book.worksheets)
    page = book["Organisation"]
    assert page["E4"].value == 28 and not page["F4"].protection.locked and page["E4"].protection.locked
    matrix = book["Team type"]
    assert [c.value for c in matrix[3]][4:] == ["Generic team"]
    rules = {str(v.sqref): v for v in matrix.data_validations.dataValidation}
    assert rules["E5"].type == "whole" and rules["E8"].formula2 == "100.0"
    assert "Last year: 55" in rules["E5"].prompt
    assert book["Last year team"]["C4"].value == 55
    # No code of last year's sheet is taken for an answer.
    assert all(np.isnan(v) for v in values(read(path)).values() if v != NO_SERVICE)
    assert (
        openpyxl.load_workbook(io.BytesIO(form_bytes(form_of(SPEC, WHO.bodies["T1"], "", {}, {})))).sheetnames[-1]
        == "Team type"
    )


def test_templates_and_choices(tmp_path: Path) -> None:
    assert templates_of(SPEC, "la") == ("one", "two") and templates_of(SPEC, "ccg") == ("",)
    assert [i.code for i in items_of(SPEC, "la", "two")] == ["hours", "calls"]
    one = blank("C1")
    assert cells_of_form(one)["shared", ""][0].choices == (("yes_", "Yes"), ("no_", "No"))
    found = read(saved(tmp_path, form_bytes(one, {("spaces", ()): 4, ("shared", ("no_",)): 1.0})))
    assert values(found) == {("spaces", ()): 4, ("shared", ("yes_",)): 0, ("shared", ("no_",)): 1}
    found = read(saved(tmp_path, form_bytes(one, {("shared", ()): "perhaps"})))
    assert [q.check for q in found.queries] == ["choice"] and np.isnan(values(found)["shared", ("yes_",)])
    found = read(saved(tmp_path, form_bytes(one, {("shared", ()): "n/a"})))
    assert found.queries == ()


def moved(book: Any) -> None:
    page = book["Team type"]
    page.title = "Teams, all done"
    page.insert_rows(1, 3)
    page.insert_cols(1, 2)
    # Columns are known by their titles, whatever their order.
    for row in page.iter_rows(min_row=6):
        row[6].value, row[7].value = row[7].value, row[6].value
    book.move_sheet("Organisation", 2)
    page["I20"] = "a remark"


def test_moved_sheets_rows_and_columns_lose_nothing(tmp_path: Path) -> None:
    assert values(read(saved(tmp_path, form_bytes(blank(), FULL), moved))) == FULL


def other_word(book: Any) -> None:
    page = book["Team type"]
    page["F3"] = "crht"


def test_other_words_for_a_column(tmp_path: Path) -> None:
    assert values(read(saved(tmp_path, form_bytes(blank(), FULL), other_word))) == FULL


def test_services_that_an_organisation_says_it_has_not(tmp_path: Path) -> None:
    given_ = {k: v for k, v in FULL.items() if "crisis" not in k[1]} | {("months", ("crisis",)): 0.0}
    found = read(saved(tmp_path, form_bytes(blank(), given_, frozenset(["crisis"]))))
    assert values(found)["referrals", ("crisis", "gp")] == NO_SERVICE == values(found)["months", ("crisis",)]
    assert found.queries == ()
    found = read(saved(tmp_path, form_bytes(blank(), FULL, frozenset(["crisis"]))))
    assert values(found)["referrals", ("crisis", "gp")] == 30
    assert {q.check for q in found.queries} == {"contradiction"}

    def unsure(book: Any) -> None:
        book["Team type"]["E4"] = "perhaps"

    assert [q.check for q in read(saved(tmp_path, form_bytes(blank(), FULL), unsure)).queries] == ["service"]


def test_what_is_gone_and_what_stands_twice(tmp_path: Path) -> None:
    def without(book: Any) -> None:
        del book["Team type"]

    found = read(saved(tmp_path, form_bytes(blank(), FULL), without))
    assert {q.check for q in found.queries} == {"missing"} and len(found.queries) == 4
    assert np.isnan(values(found)["referrals", ("crisis", "gp")]) and len(found.entries) == len(FULL)

    def copied(book: Any) -> None:
        page = book.copy_worksheet(book["Organisation"])
        page["F4"] = 31
        same = book.copy_worksheet(book["Team type"])
        same["A9"] = "nothing of the form"

    found = read(saved(tmp_path, form_bytes(blank(), FULL), copied))
    assert values(found) == FULL
    assert [(q.check, q.entered) for q in found.queries] == [("twice", "31")]

    def second_table(book: Any) -> None:
        page = book["Organisation"]
        page["A9"], page["F9"] = "Code", "Answer"
        page["A10"], page["F10"] = "beds", 30

    assert read(saved(tmp_path, form_bytes(blank(), FULL), second_table)).queries == ()


NUMBER = Question("n", "n", (), "Number", "people", "A number", 0, 1000, True)


@pytest.mark.parametrize(
    ("raw", "value", "check"),
    [
        (12, 12, None),
        (" 1,000 ", 1000, None),
        ("£1 000", 1000, None),
        ("\u00a0", math.nan, None),
        ("", math.nan, None),
        (None, math.nan, None),
        ("n/a", math.nan, "not known"),
        ("#REF!", math.nan, "error"),
        ("about 5", math.nan, "no number"),
        ("12,5", math.nan, "no number"),
        ("=1+1", math.nan, "no number"),
        (True, math.nan, "no number"),
        (datetime.datetime(2017, 3, 1), math.nan, "no number"),
        (-1, math.nan, "range"),
        (1001, math.nan, "range"),
        (float("inf"), math.nan, "range"),
        (1.5, math.nan, "whole"),
    ],
)
def test_what_stands_in_a_cell(raw: Any, value: float, check: str | None) -> None:
    found, note, asked = read_number(NUMBER, raw)
    assert found == pytest.approx(value, nan_ok=True)
    assert (asked[0] if asked else None) == check
    assert bool(note) == (isinstance(raw, str) and check in (None, "not known") and bool(raw.strip()))


def test_a_question_without_an_upper_end() -> None:
    found = read_number(Question("n", "n", (), "N", "WTE", "D"), -1)
    assert found[2] == ("range", "A figure from 0 up was expected; this one was not used.")


@given(st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text()))
def test_nothing_in_a_cell_ends_in_an_error(raw: Any) -> None:
    value, _, _ = read_number(NUMBER, raw)
    assert np.isnan(value) or (0 <= value <= 1000 and value == round(value))


def test_formulas_with_and_without_a_value(tmp_path: Path) -> None:
    def formula(book: Any) -> None:
        book["Organisation"]["F4"] = "=15+15"

    found = read(saved(tmp_path, form_bytes(blank(), FULL), formula))
    assert [q.check for q in found.queries] == ["formula"] and np.isnan(values(found)["beds", ()])
    content = saved(tmp_path, form_bytes(blank(), FULL), formula).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        parts = {n: old.read(n) for n in old.namelist()}
    name = next(n for n, c in parts.items() if b"15+15" in c)
    parts[name] = (
        parts[name]
        .replace(b"<f>15+15</f><v></v>", b"<f>15+15</f><v>30</v>")
        .replace(b"<f>15+15</f><v/>", b"<f>15+15</f><v>30</v>")
        .replace(b"<v />", b"<v>30</v>")
    )
    assert values(read(zipped(tmp_path, parts)))["beds", ()] == 30


def zipped(tmp_path: Path, parts: dict[str, bytes]) -> Path:
    path = tmp_path / "made.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("xl/vbaProject.bin", b"x", "macros"),
        ("xl/externalLinks/externalLink1.xml", b"<x/>", "links to other workbooks"),
        ("xl/embeddings/oleObject1.bin", b"x", "embedded files"),
        ("xl/connections.xml", b"<x/>", "data connections"),
        ("xl/activeX/activeX1.xml", b"<x/>", "controls"),
        ("xl/styles2.xml", b'<!DOCTYPE lolz [<!ENTITY lol "lol">]><x/>', "entities"),
        ("xl/media/bomb.bin", bytes(101_000_000), "unpacks to"),
    ],
)
def test_what_is_refused(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    with zipfile.ZipFile(io.BytesIO(form_bytes(blank(), FULL))) as old:
        parts = {n: old.read(n) for n in old.namelist()}
    path = zipped(tmp_path, parts | {name: content})
    with pytest.raises(StocktakeError, match=words):
        read(path)


def test_what_is_no_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notes.xlsx"
    path.write_text("notes")
    assert "not an XLSX workbook" in refusal(path)
    assert "not an XLSX workbook" in refusal(zipped(tmp_path, {"a.txt": b"x"}))
    with pytest.raises(StocktakeError, match="damaged"):
        read(zipped(tmp_path, {"xl/workbook.xml": b"<nothing"}))
    monkeypatch.setattr(workbooks, "LARGEST_FILE", 3)
    assert "expected at most 3" in refusal(path)


def test_a_cell_far_from_the_form(tmp_path: Path) -> None:
    def far(book: Any) -> None:
        book["Organisation"]["A30000"] = 1

    with pytest.raises(StocktakeError, match="something stands in row 30000"):
        read(saved(tmp_path, form_bytes(blank(), FULL), far))


@pytest.mark.parametrize(
    ("cell", "value", "words"),
    [
        ("B3", "other", "a form of 'other'"),
        ("B4", "T9", "no organisation 'T9'"),
        ("A4", "Something", "no cell 'Organisation code'"),
        ("B6", "three", "no template 'three' for T1; expected none"),
    ],
)
def test_whose_it_is(tmp_path: Path, cell: str, value: str, words: str) -> None:
    def change(book: Any) -> None:
        book["Start here"][cell] = value

    with pytest.raises(StocktakeError, match=words):
        read(saved(tmp_path, form_bytes(blank(), FULL), change))


def test_names_of_cells() -> None:
    assert [cell_name(1, 1), cell_name(12, 26), cell_name(3, 27), cell_name(1, 703)] == ["A1", "Z12", "AA3", "AAA1"]
