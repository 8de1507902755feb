"""Instrument files: every mistake is named with file, line and field, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from stocktake.problems import StocktakeError
from stocktake.run.schemas import schema_of
from stocktake.survey.instrument import Survey, library, load, parse

GOOD = """code: tiny
title: Tiny
year: 2024
scales:
  yes: [{code: 1, label: "Yes", score: 10}, {code: 2, label: "No", score: 10/3}]
sections:
  - {code: S1, number: 1, title: One}
questions:
  - code: Q1
    section: S1
    scale: yes
    comparable: {2023: Q1}
    routes: [{answers: [2], skip_to: Q2}]
  - code: Q2
    stem: "About X:"
    text: part
    options: [{code: 1, label: A}]
demographics:
  - code: age
    title: Age
    kind: number
    options: [{code: 1, label: young, to: 30}, {code: 2, label: old, from: 31}]
cells: [age]
"""


def problems(text: str) -> list[str]:
    with pytest.raises(StocktakeError) as error:
        parse(text, "tiny.yaml")
    return list(error.value.problems)


def test_a_good_file() -> None:
    survey = parse(GOOD.replace("yes:", "'yes':").replace("scale: yes", "scale: 'yes'"), "tiny.yaml")
    assert survey.by_code["Q1"].options[1].score == pytest.approx(10 / 3)
    assert survey.label("Q2") == "About X: part"
    assert survey.label("Q1") == "Q1"
    assert survey.label("S1") == "One"
    assert survey.label("S9") == "S9"
    assert survey.cell_labels == ("young", "old")
    with pytest.raises(Exception, match="frozen"):
        survey.title = "Other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("title: Tiny", "titel: Tiny"), ["line 2, titel: this field is not known", "line 1, title: this field is missing"]),
        (("scale: 'yes'", "scale: yess"), ["line 11, questions.0.scale: no scale named 'yess'. Did you mean 'yes'?"]),
        (("    section: S1", "    section: S2"), ["questions.0.section: no section 'S2'", "section 'S1' has no question"]),
        (("skip_to: Q2", "skip_to: Q9"), ["line 13, questions.0.routes.0.skip_to: no question 'Q9'"]),
        (("skip_to: Q2", "skip_to: Q1"), ["a route leads forward; Q1 is not after Q1"]),
        (("answers: [2]", "answers: [7]"), ["Q1 has no option with code 7"]),
        (("  - code: Q2", "  - code: Q1"), ["questions.1.code: 'Q1' appears twice", "a route leads forward", "no question 'Q2'"][:1]),
        (("label: A}", "label: A, score: 5}"), ["Q2 has scores but no section"]),
        (("score: 10/3", "score: 12"), ["less than or equal to 10"]),
        (("score: 10/3", "score: 10/0"), ["10/0"]),
        (("{code: 2, label: \"No\"", "{code: 1, label: \"No\""), ["Q1 has one option code twice"]),
        (("comparable: {2023: Q1}", "comparable: {2024: Q1}"), ["only years before 2024 can be compared"]),
        (("cells: [age]", "cells: [agee]"), ["cells.0: no demographic 'agee'. Did you mean 'age'?"]),
        (("code: 2, label: old", "code: 1, label: old"), ["age has one option code twice"]),
        (("label: old, from: 31", "label: old"), ["each band of a number needs"]),
        (("score: 10}, {code: 2, label: \"No\", score: 10/3", "score: null}, {code: 2, label: \"No\""), ["no option has a score"]),
    ],
)  # fmt: skip
def test_each_mistake_is_named(change: tuple[str, str], expected: list[str]) -> None:
    good = GOOD.replace("yes:", "'yes':").replace("scale: yes", "scale: 'yes'")
    assert change[0] in good
    found = problems(good.replace(*change, 1))
    for sentence in expected:
        assert any(sentence in f for f in found), found
    assert all(f.startswith("tiny.yaml, line ") for f in found)


def test_several_mistakes_are_named_together() -> None:
    text = GOOD.replace("yes:", "'yes':").replace("scale: yes", "scale: 'yes'")
    text = text.replace("section: S1", "section: S2").replace("skip_to: Q2", "skip_to: Q9")
    assert len(problems(text)) >= 3


@pytest.mark.parametrize("text", ["a: [1", "just words", "- a\n- b", ""])
def test_files_that_are_no_instrument(text: str) -> None:
    assert "line" in problems(text)[0]


def test_a_name_that_stands_twice() -> None:
    assert "'title' appears twice here" in problems("code: a\ntitle: b\ntitle: c\n")[0]


def test_text_that_windows_programs_write(tmp_path: Path) -> None:
    from stocktake.definitions import read_text

    path = tmp_path / "a.yaml"
    path.write_bytes("caf\xe9 \x92".encode("latin-1"))
    assert read_text(path) == "caf\xe9 \u2019"
    path.write_text("text", "utf-16")
    with pytest.raises(StocktakeError, match="not a text file in UTF-8"):
        read_text(path)
    path.write_bytes(b"\x81\x8d")
    with pytest.raises(StocktakeError, match="not a text file in UTF-8"):
        read_text(path)


def test_a_scale_without_scales() -> None:
    assert any(
        "no scale named" in p
        for p in problems("code: a\ntitle: b\nyear: 1\nsections: []\nquestions:\n  - {code: Q1, scale: x}\n  - 5\n")
    )


def test_unknown_instruments(tmp_path: object) -> None:
    with pytest.raises(StocktakeError, match="Did you mean 'cmh_2024'"):
        load("cmh_2023")


@pytest.mark.parametrize("code", library())
def test_the_library_is_valid_and_its_schema_accepts_it(code: str) -> None:
    import json

    import jsonschema

    survey = load(code)
    data = json.loads(survey.model_dump_json(by_alias=True, exclude_none=True))
    jsonschema.Draft202012Validator(schema_of("instrument")).validate(data)
    assert Survey.model_validate(data) == survey


def test_every_inferred_part_of_cmh_is_marked() -> None:
    survey = load("cmh_2024")
    assert len(survey.inferred) >= 5
    # Q18's options are the only ones printed.
    assert not survey.by_code["Q18"].inferred
    assert all(q.inferred for q in survey.questions if q.code not in ("Q18",) and q.scored and q.code != "Q39")


def test_routing_of_cmh_leads_past_what_it_should() -> None:
    survey = load("cmh_2024")
    routes = {(q.code, r.skip_to): r.answers for q in survey.questions for r in q.routes}
    assert routes["Q2", "Q8"] == (4,)
    assert routes["Q14", "Q16"] == (2, 3)
    assert routes["Q20", "Q24"] == (2,)
    assert routes["Q36", "Q39"] == (2,)
