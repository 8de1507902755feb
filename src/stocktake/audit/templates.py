"""The form that an organisation fills in: which questions it is asked, on which sheet, and under which codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from stocktake.audit.answers import Parts
from stocktake.audit.specification import Item, Specification
from stocktake.organisations.register import Body, Kind

# Words that a reader of returns looks for; everything else on a form may be changed.
CODE, ANSWER, SERVICE = "Code", "Answer", "service"
COLLECTION_LABEL, ORGANISATION_LABEL, TEMPLATE_LABEL = "Collection code", "Organisation code", "Template code"


@dataclass(frozen=True)
class Question:
    """One row of a form: its code, what is asked, and what may be answered.

    `parts` are the options of the item that the row is of; on a sheet with a column for each option of a dimension the
    first of them is left to the column. `choices` are the answers of a question with a list, by option.
    """

    code: str
    item: str
    parts: Parts
    text: str
    unit: str
    definition: str
    lowest: float = 0.0
    highest: float | None = None
    whole: bool = False
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class FormSheet:
    """One sheet: a list of questions, or with a `dimension` one column for each of its `options` that there are."""

    name: str
    questions: tuple[Question, ...]
    dimension: str = ""
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Form:
    """What one organisation is asked with one template; `last` has its figures of the year before."""

    collection: str
    title: str
    organisation: str
    organisation_name: str
    template: str
    census: str
    period: str
    sheets: tuple[FormSheet, ...]
    last: Mapping[tuple[str, Parts], float]


def templates_of(spec: Specification, kind: Kind) -> tuple[str, ...]:
    """The templates that a kind of organisation fills in; one without a name where its items name none."""
    named = dict.fromkeys(i.template for i in spec.items if kind in i.of and i.template)
    return tuple(named) or ("",)


def items_of(spec: Specification, kind: Kind, template: str) -> tuple[Item, ...]:
    """The items of a template: its own, and those of every template."""
    return tuple(i for i in spec.items if kind in i.of and i.template in ("", template))


def form_of(
    spec: Specification,
    body: Body,
    template: str,
    services: Mapping[str, frozenset[str]],
    last: Mapping[tuple[str, Parts], float],
) -> Form:
    """The form of one organisation, with the options that it has and its figures of the year before."""
    items = items_of(spec, body.kind, template)
    first = [i.by[0] for i in items if i.by and i.unit != "category"]
    wide = {d for d in first if first.count(d) > 1}
    plain: list[Question] = []
    matrices: dict[str, list[Question]] = {}
    for item in items:
        if item.by and item.by[0] in wide and item.unit != "category":
            matrices.setdefault(item.by[0], []).extend(_rows(spec, item, item.by[1:], services))
        elif item.unit == "category":
            dimension = spec.dimension[item.by[0]]
            choices = tuple(dimension.options.items())
            plain.append(Question(item.code, item.code, (), item.name, "choose one", item.definition, choices=choices))
        else:
            plain.extend(_rows(spec, item, item.by, services))
    sheets = [FormSheet("Organisation", tuple(plain))] if plain else []
    for code, questions in matrices.items():
        dimension = spec.dimension[code]
        have = services.get(code, frozenset(dimension.options))
        options = tuple((o, t) for o, t in dimension.options.items() if o in have)
        sheets.append(FormSheet(dimension.title[:31], tuple(questions), code, options))
    period = f"{spec.begins:%d %B %Y} to {spec.begins.replace(year=spec.begins.year + 1):%d %B %Y} (not included)"
    return Form(
        spec.code, spec.title, body.code, body.name, template, f"{spec.census:%d %B %Y}", period, tuple(sheets), last
    )


def _rows(
    spec: Specification, item: Item, by: tuple[str, ...], services: Mapping[str, frozenset[str]]
) -> list[Question]:
    """A question for each option of some dimensions of an item that the organisation has."""
    choices = []
    for code in by:
        options = spec.dimension[code].options
        have = services.get(code, frozenset(options))
        choices.append([(o, t) for o, t in options.items() if o in have])
    out = []
    for combination in product(*choices):
        parts = tuple(o for o, _ in combination)
        words = ", ".join(t for _, t in combination)
        text = f"{item.name}: {words}" if words else item.name
        code = ".".join((item.code, *parts))
        out.append(
            Question(code, item.code, parts, text, item.unit, item.definition, item.lowest, item.highest, item.whole)
        )
    return out


def cells_of_form(form: Form) -> dict[tuple[str, str], tuple[Question, Parts]]:
    """Every cell that a form asks for, by the code of its row and of its column (empty on a list of questions)."""
    out: dict[tuple[str, str], tuple[Question, Parts]] = {}
    for sheet in form.sheets:
        for question in sheet.questions:
            for option, _ in sheet.options or (("", ""),):
                parts = (option, *question.parts) if option else question.parts
                out[question.code, option] = (question, parts)
    return out
