"""Codes from outside: one rule for all, and none that leaves its folder or hides another one's page."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import small_survey
from stocktake.codes import code_problem, file_name, folded, repeated
from stocktake.problems import StocktakeError
from stocktake.survey.instrument import DemographicOption, Group, Survey, parse
from stocktake.survey.instrument_checks import cross_checks


@pytest.mark.parametrize(
    "code",
    ["", "../evil", "a/b", "a\\b", "a:b", "..", ".", "a b", " a", "a\u200b", "a\u202eb", "a\n", "nul", "COM1", "com1.x",
     "index", "all", "-a", "a.", "x" * 61, "A\u0308", "\uff21", "a\x00", "\u00ad1"],
)  # fmt: skip
def test_codes_that_are_refused(code: str) -> None:
    assert code_problem(code)
    with pytest.raises(StocktakeError):
        file_name(code)


@pytest.mark.parametrize("code", ["Q1", "Q22_1", "RXA-2", "a.b", "Ä1", "Ж", "x" * 60, "T1-service-groups"])
def test_codes_that_are_taken(code: str) -> None:
    assert code_problem(code) == ""
    assert file_name(code, ".html") == f"{code}.html"


@given(code=st.text(max_size=12))
def test_a_code_that_is_taken_names_one_file_in_its_folder(code: str) -> None:
    if code_problem(code):
        return
    name = file_name(code, ".html")
    assert Path(name).name == name and PureWindowsPath(name).name == name
    assert not PureWindowsPath(code).is_reserved()
    assert name.isprintable()


def test_codes_that_differ_only_in_case_repeat_each_other() -> None:
    assert repeated(["T1", "t1", "T2", "T1"]) == [(1, "t1", "T1"), (3, "T1", "T1")]
    assert folded("STRASSE") == folded("straße")


def problems(survey: Survey) -> str:
    return "\n".join(message for _, message in cross_checks(survey))


def test_instruments_with_codes_that_cannot_stand() -> None:
    sound = small_survey({"S01": [2], "S02": [2]}, groups=("A", "B"))
    assert problems(sound) == ""
    one, two = sound.questions
    same = sound.model_copy(update={"questions": (one, two.model_copy(update={"code": "s01"}))})
    assert "is the code of a section" in problems(same)
    case = sound.model_copy(update={"questions": (one, two.model_copy(update={"code": "q1"}))})
    assert "differs only in case" in problems(case)
    evil = sound.model_copy(update={"questions": (one.model_copy(update={"code": "../evil"}), two)})
    assert "has the character solidus" in problems(evil)
    assert "solidus" in problems(sound.model_copy(update={"code": "a/b"}))
    everyone = sound.model_copy(update={"groups": (Group(code="all", title="x", value=1), sound.groups[1])})
    assert "reserved" in problems(everyone)
    twice = sound.model_copy(update={"groups": tuple(g.model_copy(update={"value": "A"}) for g in sound.groups)})
    assert "is also the value of 'A'" in problems(twice)
    empty = sound.model_copy(update={"groups": (Group(code="A", title="x", value=" "),)})
    assert "the value is empty" in problems(empty)
    cells = sound.model_copy(update={"cells": ("kind", "kind")})
    assert "expected each variable once" in problems(cells)


def test_bands_of_numbers_that_cannot_stand() -> None:
    sound = small_survey({"S01": [2]})

    def banded(*ends: tuple[int | None, int | None]) -> str:
        options = tuple(
            DemographicOption.model_validate({"code": i, "label": f"band {i}", "from": a, "to": b})
            for i, (a, b) in enumerate(ends, start=1)
        )
        changed = sound.demographics[0].model_copy(update={"kind": "number", "options": options})
        return problems(sound.model_copy(update={"demographics": (changed,)}))

    assert banded((None, 35), (36, 50), (51, None)) == ""
    assert "before it begins" in banded((35, 16))
    assert "overlap" in banded((16, 35), (35, 50))
    assert "overlap" in banded((16, None), (50, 60))


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BOMB, "once its aliases are written out"),
        ("a: " + "[" * 5000 + "]" * 5000, "nested more than"),
        ("a: &x\n  b: *x\n", "an alias refers to a part that contains it"),
        ("? [a, b]\n: c\n", "a key must be one word"),
        ("a: 2024-13-45\n", "not valid YAML"),
        ("a: 1\na: 2\n", "appears twice"),
        ("a: !!python/object/apply:os.system ['true']\n", "not valid YAML"),
        ("\t- x", "not valid YAML"),
        ("[]", "expected a mapping"),
        ("", "expected a mapping"),
    ],
)
def test_definition_files_that_mean_harm(text: str, expected: str) -> None:
    with pytest.raises(StocktakeError, match=expected):
        parse(text, "own.yaml")
