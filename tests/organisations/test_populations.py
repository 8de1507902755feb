"""Named populations: sums that leave no part out, and weights that make no people."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from stocktake.organisations.populations import Key, Populations, read_populations
from stocktake.organisations.register import Fit
from stocktake.problems import StocktakeError

ADULTS = Key("registered", "16+", 2017)
NEED = Key("weighted", "16+", 2017)
CODES = ("C1", "C2", "C3")
LIST = """code,kind,ages,year,people
C1,registered,16+,2017,"100,000"
C2,registered,16+,2017,50000
C1,weighted,16+,2017,90000.5
C2,weighted,16+,2017,59999.5
C3,registered,16+,2017,7
"""


def read(folder: Path, text: str) -> Populations:
    path = folder / "populations.csv"
    path.write_text(text)
    return read_populations(path, CODES)


def test_people_by_name(tmp_path: Path) -> None:
    found = read(tmp_path, LIST + "\n")
    assert found.of("C1", ADULTS) == 100_000
    assert math.isnan(found.of("C3", NEED))
    assert found.total(("C1", "C2"), ADULTS) == 150_000
    # A part that is not known is not left out of a sum.
    assert math.isnan(found.total(("C1", "C3"), NEED))
    assert math.isnan(found.total((), ADULTS))
    assert found.of_area(Fit(("C1", "C2"), ()), NEED) == 150_000
    assert math.isnan(found.of_area(Fit(("C1", "C2"), ("C2",)), NEED))
    assert found.keys() == (ADULTS, NEED)
    assert str(ADULTS) == "registered people, aged 16+, 2017"
    assert str(Key("weighted", "all", 2016)) == "weighted people, all ages, 2016"


def test_weights_share_people_out_and_make_none(tmp_path: Path) -> None:
    # The third has no weighted number, so that neither sum has it.
    assert read(tmp_path, LIST).unbalanced() == []
    (said,) = read(tmp_path, LIST.replace("59999.5", "61000")).unbalanced()
    assert said.startswith(
        "weighted people, aged 16+, 2017: they sum to 151,000 over 2 organisations; expected 150,000"
    )
    within = LIST.replace("59999.5", "60149.5")
    assert read(tmp_path, within).unbalanced() == []
    assert len(read(tmp_path, LIST.replace("59999.5", "60150")).unbalanced()) == 1


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("C9,registered,16+,2017,5", "row 7, column code: no organisation 'C9'."),
        (
            "C3,regstered,16+,2017,5",
            "column kind: found 'regstered'; expected registered, weighted, resident. Did you mean",
        ),
        ("C3,registered,all,17,5", "column year: found '17'; expected a year such as 2017"),
        ("C3,registered,all,2017,n/a", "column people: found 'n/a'; expected a number of zero or more"),
        ("C3,registered,all,2017,-1", "column people: found '-1'"),
        ("C3,registered,all,2017,inf", "column people: found 'inf'"),
        # A comma for the decimals is not taken for thousands.
        ('C3,registered,all,2017,"1,5"', "column people: found '1,5'"),
        ("C3,registered,,2017,5", "column ages: empty"),
        ("C3,registered,16+,2017,8", "row 7: a second number for C3, registered people, aged 16+, 2017; expected one"),
        ("C3", "column people: found ''"),
    ],
)
def test_mistakes(tmp_path: Path, row: str, expected: str) -> None:
    with pytest.raises(StocktakeError) as error:
        read(tmp_path, LIST + row + "\n")
    assert any(expected in p for p in error.value.problems), error.value.problems


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StocktakeError, match="no such file"):
        read_populations(tmp_path / "none.csv", CODES)
    with pytest.raises(StocktakeError, match="column 'people' is missing"):
        read(tmp_path, "code,kind,ages,year\n")
    with pytest.raises(StocktakeError, match="column 'code' is missing"):
        read(tmp_path, "")
    with pytest.raises(StocktakeError, match="cannot be read as CSV"):
        read(tmp_path, 'code,kind,ages,year,people\n"C1')
