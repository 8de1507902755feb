"""The rules between an instrument's entries, which no single entry can know."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from stocktake.codes import code_problem, folded, repeated
from stocktake.definitions import Place, Problem
from stocktake.problems import nearest
from stocktake.survey.instrument_parts import Demographic, Survey


def cross_checks(survey: Survey) -> list[Problem]:
    """The rules between entries; each problem with its place, all of them."""
    return [
        *_code_checks(survey),
        *_section_checks(survey),
        *_question_checks(survey),
        *_route_checks(survey),
        *_demographic_checks(survey),
        *_group_checks(survey),
    ]


def _code_checks(survey: Survey) -> Iterator[Problem]:
    """Every code names files and pages: it must pass the rule, and differ from its neighbours when case is ignored."""
    if problem := code_problem(survey.code):
        yield ("code",), problem
    for field in ("sections", "questions", "demographics", "groups"):
        codes = [entry.code for entry in getattr(survey, field)]
        for i, code in enumerate(codes):
            if problem := code_problem(code):
                yield (field, i, "code"), problem
        for i, code, first in repeated(codes):
            alike = "" if code == first else f" ({first!r} differs only in case)"
            yield (field, i, "code"), f"{code!r} appears twice{alike}."
    sections = {folded(s.code): s.code for s in survey.sections}
    for i, question in enumerate(survey.questions):
        if folded(question.code) in sections:
            yield ("questions", i, "code"), f"{question.code!r} is the code of a section; expected another."


def _section_checks(survey: Survey) -> Iterator[Problem]:
    used = {q.section for q in survey.questions}
    for i, section in enumerate(survey.sections):
        if section.code not in used:
            yield ("sections", i), f"section {section.code!r} has no question."


def _question_checks(survey: Survey) -> Iterator[Problem]:
    sections = [s.code for s in survey.sections]
    for i, question in enumerate(survey.questions):
        if question.section is not None and question.section not in sections:
            near = nearest(question.section, sections)
            yield ("questions", i, "section"), f"no section {question.section!r}.{near}"
        if question.section is not None and question.options and not question.scored:
            yield ("questions", i, "options"), f"{question.code} is in a section but no option has a score."
        if question.section is None and question.scored:
            yield ("questions", i, "section"), f"{question.code} has scores but no section."
        codes = [o.code for o in question.options]
        if len(set(codes)) < len(codes):
            yield ("questions", i, "options"), f"{question.code} has one option code twice."
        if any(year >= survey.year for year in question.comparable):
            yield ("questions", i, "comparable"), f"only years before {survey.year} can be compared."


def _route_checks(survey: Survey) -> Iterator[Problem]:
    order = {q.code: i for i, q in enumerate(survey.questions)}
    for i, question in enumerate(survey.questions):
        codes = {o.code for o in question.options}
        for j, route in enumerate(question.routes):
            place: Place = ("questions", i, "routes", j)
            if route.skip_to not in order:
                near = nearest(route.skip_to, list(order))
                yield (*place, "skip_to"), f"no question {route.skip_to!r}.{near}"
            elif order[route.skip_to] <= i:
                yield (*place, "skip_to"), f"a route leads forward; {route.skip_to} is not after {question.code}."
            if unknown := sorted(set(route.answers) - codes):
                yield (*place, "answers"), f"{question.code} has no option with code {unknown[0]}."


def _demographic_checks(survey: Survey) -> Iterator[Problem]:
    names = [d.code for d in survey.demographics]
    for i, cell in enumerate(survey.cells):
        if cell in survey.cells[:i]:
            yield ("cells", i), f"{cell!r} appears twice; expected each variable once."
        if cell not in names:
            yield ("cells", i), f"no demographic {cell!r}.{nearest(cell, names)}"
    for i, demographic in enumerate(survey.demographics):
        codes = [o.code for o in demographic.options]
        if len(set(codes)) < len(codes):
            yield ("demographics", i, "options"), f"{demographic.code} has one option code twice."
        if demographic.kind == "number":
            yield from _band_checks(i, demographic)
        if demographic.kind == "number" and any(o.from_ is None and o.to is None for o in demographic.options):
            yield ("demographics", i, "options"), "each band of a number needs `from`, `to` or both."


def _band_checks(i: int, demographic: Demographic) -> Iterator[Problem]:
    """Bands of numbers: none upside down, and none that overlaps another."""
    ends = []
    for j, option in enumerate(demographic.options):
        low = float("-inf") if option.from_ is None else float(option.from_)
        high = float("inf") if option.to is None else float(option.to)
        if low > high:
            yield (
                ("demographics", i, "options", j),
                f"the band ends at {option.to}, before it begins at {option.from_}.",
            )
        ends.append((low, high, option.label))
    for (_, high, one), (low, _, other) in pairwise(sorted(ends)):
        if low <= high:
            yield (
                ("demographics", i, "options"),
                f"the bands {one!r} and {other!r} overlap; a number fits one band only.",
            )


def _group_checks(survey: Survey) -> Iterator[Problem]:
    values = [str(g.value).strip() for g in survey.groups]
    for i, value in enumerate(values):
        if not value:
            yield ("groups", i, "value"), "the value is empty; expected what the files hold for this group."
        elif value in values[:i]:
            yield ("groups", i, "value"), f"{value!r} is also the value of {survey.groups[values.index(value)].code!r}."
    scored = [q.code for q in survey.questions if q.section is not None]
    for i, group in enumerate(survey.groups):
        for code in group.left_out:
            if code not in scored:
                yield ("groups", i, "left_out"), f"no scored question {code!r}.{nearest(code, scored)}"
