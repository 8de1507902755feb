"""Who belongs to whom and when: invented trusts on areas like the real ones (three areas, two halves, four regions then seven)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from stocktake.organisations.register import Body, Fit, Membership, Register, read_register
from stocktake.problems import StocktakeError

CENSUS = date(2017, 3, 31)
LATER = date(2019, 4, 1)

BODIES = """code,name,kind,begins,ends,successor
ENG,England,country,,,
SOUTH,South,region,2013-04-01,2018-06-30,
SE,South East,region,2018-07-01,,
SW,South West,region,2018-07-01,,
A1,First area,stp,2016-04-01,,
A2,Second area,stp,2016-04-01,,
A3,Third area,stp,2016-04-01,,
C1,Hill CCG,ccg,,2019-03-31,C3
C2,Vale CCG,ccg,,2019-03-31,C3
C3,Hill and Vale CCG,ccg,2019-04-01,,
C4,Shore CCG,ccg,,,
T1,Harrowmere NHS Trust,trust,,,
T2,Estwick NHS Trust,trust,,,
L1,Hillshire,la,,,
L2,Shoreshire,la,,,
"""
MEMBERSHIPS = """child,parent,begins,ends
SOUTH,ENG,,
SE,ENG,,
SW,ENG,,
A1,SOUTH,,2018-06-30
A2,SOUTH,,2018-06-30
A3,SOUTH,,2018-06-30
A1,SE,2018-07-01,
A2,SE,2018-07-01,
A3,SW,2018-07-01,
C1,A1,,
C2,A1,,
C3,A1,,
C4,A2,,
C4,A3,,
T1,A1,,
T1,A2,,
T1,A3,,
T2,A1,,
L1,A1,,
L2,A2,,
"""


def written(folder: Path, bodies: str = BODIES, memberships: str = MEMBERSHIPS) -> tuple[Path, Path]:
    (folder / "bodies.csv").write_text(bodies)
    (folder / "memberships.csv").write_text(memberships)
    return folder / "bodies.csv", folder / "memberships.csv"


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return read_register(*written(tmp_path))


def test_a_trust_in_three_areas_and_its_region_by_date(register: Register) -> None:
    assert register.parents("T1", "stp", CENSUS) == ("A1", "A2", "A3")
    assert register.parents("T1", "region", CENSUS) == ("SOUTH",)
    assert register.parents("T1", "region", LATER) == ("SE", "SW")
    assert register.parents("T1", "country", LATER) == ("ENG",)
    assert register.parents("ENG", "region", LATER) == ()


def test_regions_of_a_day(register: Register) -> None:
    assert register.of_kind("region", date(2018, 6, 30)) == ("SOUTH",)
    assert register.of_kind("region", date(2018, 7, 1)) == ("SE", "SW")
    assert register.members("SOUTH", "stp", CENSUS) == ("A1", "A2", "A3")
    assert register.members("SOUTH", "stp", LATER) == ()
    assert register.members("SE", "stp", LATER) == ("A1", "A2")


def test_merged_organisations_by_day(register: Register) -> None:
    assert register.members("A1", "ccg", CENSUS) == ("C1", "C2")
    assert register.members("A1", "ccg", LATER) == ("C3",)
    assert register.members("A1", "ccg", date(2019, 3, 31)) == ("C1", "C2")
    assert register.successors("C1") == ("C1", "C3")
    assert register.successors("C4") == ("C4",)


def test_boundaries_that_fit_and_those_that_do_not(register: Register) -> None:
    assert register.fit("A1", "ccg", CENSUS) == Fit(("C1", "C2"), ())
    assert register.fit("A1", "ccg", CENSUS).whole
    # A CCG in two areas: neither is the sum of whole ones.
    assert register.fit("A2", "ccg", CENSUS) == Fit(("C4",), ("C4",))
    assert not register.fit("A3", "ccg", CENSUS).whole
    assert register.fit("A1", "trust", CENSUS) == Fit(("T1", "T2"), ("T1",))
    # A region of three areas holds the CCG of two of them whole.
    assert register.fit("SOUTH", "ccg", CENSUS).whole
    assert not register.fit("SE", "ccg", LATER).whole
    # Nothing is the sum of no parts.
    assert not register.fit("A3", "la", CENSUS).whole


def test_successors_that_go_round_end() -> None:
    bodies = {c: Body(c, c, "trust", successor=s) for c, s in (("A", "B"), ("B", "A"))}
    assert Register(bodies, ()).successors("A") == ("A", "B")


@pytest.mark.parametrize(
    ("bodies", "memberships", "expected"),
    [
        (BODIES + ",Nameless,trust,,,\n", MEMBERSHIPS, "row 17: expected a code and a name, found '' and 'Nameless'"),
        (BODIES + "T9,,trust,,,\n", MEMBERSHIPS, "row 17: expected a code and a name"),
        (BODIES + "../x,Evil,trust,,,\n", MEMBERSHIPS, "row 17, column code: '../x' has the character solidus"),
        (BODIES + "t1,Again,trust,,,\n", MEMBERSHIPS, "row 17, column code: 't1' repeats 'T1'"),
        (BODIES + "T9,Nine,trsut,,,\n", MEMBERSHIPS, "found 'trsut'; expected trust, ccg, la, stp, region, country. Did you mean"),
        (BODIES + "T9,Nine,trust,31/3/17,,\n", MEMBERSHIPS, "row 17, column begins: found '31/3/17'; expected a day such as"),
        (BODIES + "T9,Nine,trust,2017-02-01,2017-01-31,\n", MEMBERSHIPS, "ends on 2017-01-31, before it begins on 2017-02-01"),
        (BODIES + "T9,Nine,trust,,,T10\n", MEMBERSHIPS, "column successor: no organisation 'T10' in this file"),
        (BODIES + "T9,Nine,trust,,,,,\n", MEMBERSHIPS, "row 17: 8 cells; expected 6"),
        ("code,name\nA,B\n", MEMBERSHIPS, "bodies.csv, row 1: column 'kind' is missing"),
        ("", MEMBERSHIPS, "bodies.csv, row 1: column 'code' is missing"),
        ('code,name,kind\n"a', MEMBERSHIPS, "bodies.csv: cannot be read as CSV"),
        (BODIES, MEMBERSHIPS + "T1,A9,,\n", "memberships.csv, row 22: no organisation 'A9' in bodies.csv."),
        (BODIES, MEMBERSHIPS + "A1,A1,,\n", "memberships.csv, row 22: 'A1' is its own parent"),
        (BODIES, MEMBERSHIPS + "ENG,A1,,\n", "memberships.csv: 'A1' belongs to itself through others"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, bodies: str, memberships: str, expected: str) -> None:
    with pytest.raises(StocktakeError) as error:
        read_register(*written(tmp_path, bodies, memberships))
    assert any(expected in p for p in error.value.problems), error.value.problems


def test_every_mistake_at_once_and_files_that_are_not_there(tmp_path: Path) -> None:
    bodies, memberships = written(tmp_path, BODIES + "T9,,trust,x,y,\n", "child\nT1\n")
    with pytest.raises(StocktakeError) as error:
        read_register(bodies, memberships)
    assert len(error.value.problems) == 4
    with pytest.raises(StocktakeError) as gone:
        read_register(tmp_path / "a.csv", tmp_path / "b.csv")
    assert [p.split(";")[0].rsplit("/")[-1] for p in gone.value.problems] == [
        "a.csv: no such file",
        "b.csv: no such file",
    ]


def test_blank_rows_and_short_rows_are_no_mistakes(tmp_path: Path) -> None:
    register = read_register(
        *written(tmp_path, "code,name,kind,begins\nA,One,stp\n\nB,Two,trust\n", "child,parent\nB,A\n")
    )
    assert register.parents("B", "stp", CENSUS) == ("A",)
    assert register.bodies["A"] == Body("A", "One", "stp")
    assert register.memberships == (Membership("B", "A"),)
