"""Files that are damaged, too large or of odd types get a sentence each, never a traceback."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import xlsxwriter

from stocktake.problems import StocktakeError
from stocktake.survey import opening
from stocktake.survey.coding import ABSENT, option_codes, whole_numbers
from stocktake.survey.findings import described
from stocktake.survey.opening import check_workbook, readable
from stocktake.survey.tables import open_table
from stocktake.survey.workbooks import read_workbook


def found_text(call: Any) -> str:
    with pytest.raises(StocktakeError) as error:
        call()
    return str(error.value)


@pytest.mark.parametrize(
    "series",
    [
        pl.Series("Q1", [[1], [2]]),
        pl.Series("Q1", [{"a": 1}, {"a": 2}]),
        pl.Series("Q1", [b"1", b"2"]),
        pl.Series("Q1", [timedelta(1), timedelta(2)]),
    ],
)
def test_columns_of_odd_types(tmp_path: Path, series: pl.Series) -> None:
    frame = pl.DataFrame({"x": [1, 2]}).with_columns(series)
    frame.write_parquet(tmp_path / "a.parquet")
    for source in (tmp_path / "a.parquet", frame):
        table = open_table(source)
        assert "column Q1: holds values of type" in found_text(lambda table=table: list(table.batches(("Q1",))))
        assert "column Q1" in found_text(lambda table=table: list(table.pieces(("Q1",))))
        assert "column Q1" in found_text(lambda table=table: table.repeated("Q1"))
        assert next(iter(table.batches(("x",)))).height == 2


@pytest.mark.parametrize("kind", [pl.Int128, pl.UInt64, pl.Int64, pl.Decimal(20, 0)])
def test_whole_numbers_of_every_width(kind: Any) -> None:
    values, broken = whole_numbers(pl.Series([1, None, 2**31, 3]).cast(kind))
    assert values.tolist() == [1, ABSENT, ABSENT, 3]
    assert broken.tolist() == [False, False, True, False]


def test_the_smallest_number_of_32_bits_is_not_taken_for_a_blank() -> None:
    for series in (pl.Series([1, -(2**31)]), pl.Series(["1", str(-(2**31))])):
        codes, broken = option_codes(series, [1, 2])
        assert codes.tolist() == [1, 0]
        assert broken is not None and broken.tolist() == [False, True]


def test_a_truncated_spss_file(tmp_path: Path) -> None:
    import pyreadstat

    path = tmp_path / "a.sav"
    frame = pl.DataFrame({"a": np.arange(5000.0), "b": np.arange(5000.0) + 0.5})
    pyreadstat.write_sav(frame.to_pandas(), str(path))
    whole = path.read_bytes()
    for size in (10, 400, len(whole) // 2, len(whole) - 8):
        path.write_bytes(whole[:size])
        assert "a.sav" in found_text(lambda: list(open_table(path).batches()))


def test_an_spss_file_with_fewer_rows_than_it_says(tmp_path: Path) -> None:
    import pyreadstat

    path = tmp_path / "a.sav"
    pyreadstat.write_sav(pl.DataFrame({"a": [1.0, 2.0]}).to_pandas(), str(path))
    longer = replace(open_table(path), rows=3)
    assert "ends after 2 of 3 rows" in found_text(lambda: list(longer.batches()))


def test_values_are_described_by_kind_and_length() -> None:
    shown = {None: "", " 12 ": "12", "-1.5": "-1.5", "9434765919": "a number of 10 digits", "  ": "blanks", "x": "text of 1 character",
             "Jo Bloggs": "text of 9 characters", True: "true or false", "T1": "T1"}  # fmt: skip
    assert {value: described(value, {"T1"}) for value in shown} == shown


@pytest.mark.parametrize("ending", ["parquet", "xlsx", "sav", "csv"])
def test_truncated_files_of_every_kind(tmp_path: Path, ending: str) -> None:
    frame = pl.DataFrame({"a": ['x "y" z'] * 50, "b": list(range(50))})
    path = tmp_path / f"a.{ending}"
    if ending == "sav":
        import pyreadstat

        pyreadstat.write_sav(frame.to_pandas(), str(path))
    elif ending == "xlsx":
        frame.write_excel(path)
    else:
        getattr(frame, f"write_{ending}")(path)
    whole = path.read_bytes()
    for size in (3, len(whole) // 3, len(whole) - 4 if ending == "csv" else len(whole) - 20):
        path.write_bytes(whole[:size])
        try:
            rows = sum(f.height for f in open_table(path).batches())
        except StocktakeError as error:
            assert path.name in str(error)
        else:
            # A text file may end after any whole row; a row cut short is refused.
            assert (ending == "csv" and rows < 50) or size > len(whole) - 5


def test_a_text_file_with_short_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n1,2,3\n4,5\n6,7,8,9\n" + "1\n" * 30)
    text = found_text(lambda: open_table(path))
    assert "a.csv, row 3: 2 cells; expected 3" in text and "row 4: 4 cells" in text
    assert "and 12 more rows like these" in text
    path.write_text('a,b\n"x\ny",2\n3,4\n')
    assert open_table(path).frame().height == 2
    path.write_text('a,b\n"x,2\n3,4\n')
    assert "a.csv" in found_text(lambda: open_table(path).frame())


def sheet(path: Path, *cells: tuple[int, int, Any]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        for row, column, value in cells:
            page.write(row, column, value)
    return path


def test_a_cell_far_from_the_table(tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.xlsx", (0, 0, "a"), (1048575, 16383, 1))
    assert "a cell in row 1048576 and one in column 16384" in found_text(lambda: open_table(path))


def test_a_formula_without_a_stored_value(tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.xlsx", (0, 0, "a"), (1, 0, 1))
    changed = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if "sheet1.xml" in name:
                data = data.replace(b'<c r="A2"><v>1</v></c>', b'<c r="A2"><f>1+1</f></c>')
            new.writestr(name, data)
    assert "cell A2: a formula without a stored value" in found_text(lambda: open_table(changed))
    assert open_table(path).frame().height == 1


ODS = (
    '<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><table:table table:name="S">{rows}</table:table>'
    "</office:document-content>"
)


def ods(path: Path, rows: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.xml", ODS.format(rows=rows))
    return path


def test_open_documents_too(tmp_path: Path) -> None:
    cell = '<table:table-cell office:value-type="float" office:value="1"/>'
    blank = '<table:table-cell table:number-columns-repeated="1000000"/>'
    far = ods(tmp_path / "a.ods", f'<table:table-row table:number-rows-repeated="1000">{cell}</table:table-row>'
              f"<table:table-row>{blank}{cell}</table:table-row>")  # fmt: skip
    assert "expected at most" in found_text(lambda: check_workbook(far))
    formula = ods(tmp_path / "b.ods", '<table:table-row><table:table-cell table:formula="of:=1"/></table:table-row>')
    assert "row 1, column 1: a formula without a stored value" in found_text(lambda: check_workbook(formula))
    check_workbook(ods(tmp_path / "c.ods", f"<table:table-row>{cell}{blank}</table:table-row>"))
    # Texts inside cells, of more than one line, make no rows.
    words = '<table:table-cell office:value-type="string"><text:p>a</text:p><text:p>b</text:p></table:table-cell>'
    rows = f"<table:table-row>{words}</table:table-row>" * 2
    late = ods(
        tmp_path / "e.ods", f'{rows}<table:table-row>{cell}<table:table-cell table:formula="of:=1"/></table:table-row>'
    )
    assert "row 3, column 2: a formula without a stored value" in found_text(lambda: check_workbook(late))


def test_workbooks_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"x")
    assert "cannot be read as a workbook" in found_text(lambda: open_table(path))
    assert "cannot be read as a workbook" in found_text(lambda: read_workbook(path))
    broken = ods(tmp_path / "b.ods", "<table:table-row>")
    assert "cannot be read as a workbook" in found_text(lambda: check_workbook(broken))
    monkeypatch.setattr(opening, "LARGEST_UNPACKED", 100)
    assert "when unpacked; expected at most 100" in found_text(
        lambda: check_workbook(sheet(tmp_path / "c.xlsx", (0, 0, "a")))
    )
    monkeypatch.undo()
    many = [f'<table:table-row><table:table-cell table:formula="of:={i}"/></table:table-row>' for i in range(25)]
    assert "and 5 more of these" in found_text(lambda: check_workbook(ods(tmp_path / "d.ods", "".join(many))))


def test_readers_failures_of_every_sort_become_sentences() -> None:
    class Panic(BaseException):
        pass

    for error in (ValueError("secret"), Panic("secret"), OSError(5, "Input/output error")):

        def fail(error: BaseException = error) -> None:
            with readable("a.csv", "csv"):
                raise error

        assert "secret" not in found_text(fail)
    for passes in (KeyboardInterrupt(), MemoryError()):
        with pytest.raises(type(passes)), readable("a.csv", "csv"):
            raise passes


def test_rows_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    """A quotation mark inside a cell to the right of what is read: rows would be lost without a word."""
    path = tmp_path / "answers.csv"
    path.write_text('org,q1,comment\nA,1,fine\nA,2,waited 5" long\nB,3,ok\nB,4,6" high\nA,5,good\n', "utf-8")
    table = open_table(path)
    assert table.rows == 5
    with pytest.raises(StocktakeError, match=r"answers\.csv: 3 rows were read, and 5 counted"):
        list(table.batches(("org", "q1")))
