"""The list of organisations: what is wrong with it, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from stocktake.organisations import Organisation, read_organisations
from stocktake.problems import StocktakeError


def read(folder: Path, text: str) -> tuple[Organisation, ...]:
    (folder / "organisations.csv").write_text(text)
    return read_organisations(folder / "organisations.csv")


def test_a_list(tmp_path: Path) -> None:
    assert read(tmp_path, "code;name;kind\nA;One;trust\n\nB;Two\n") == (
        Organisation("A", "One", "trust"),
        Organisation("B", "Two"),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "organisations.csv: the file is empty"),
        ('code,name\n"A', "organisations.csv: cannot be read as CSV"),
        ("code,nmae\nA,One\n", "row 1: column 'name' is missing. Did you mean 'nmae'?"),
        ("code,name,name\nA,One,One\n", "row 1: column 'name' appears twice."),
        ("code,name\nA,One,more\n", "row 2: 3 cells; expected 2, as the header has."),
        ("code,name\n,One\n", "row 2: expected a code and a name, found '' and 'One'."),
        ("code,name\nA/B,One\n", "row 2, column code: 'A/B' has the character solidus"),
        ("code,name\nA,One\nA,Two\n", "row 3, column code: 'A' appears twice; expected it once."),
        ("code,name\nA,One\na,Two\n", "row 3, column code: 'a' differs from 'A' only in case; expected it once."),
        ("code,name\n", "organisations.csv: expected at least one organisation, found none."),
    ],
)
def test_mistakes(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(StocktakeError) as error:
        read(tmp_path, text)
    assert any(expected in p for p in error.value.problems), error.value.problems


def test_no_list(tmp_path: Path) -> None:
    with pytest.raises(StocktakeError, match="no such file; it lists the organisations"):
        read_organisations(tmp_path / "none.csv")
