"""Reading the forms that come back, as they are: every cell with what stands in it, and what is wrong with it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stocktake.audit.answers import NO_SERVICE, NOT_ANSWERED, Parts
from stocktake.audit.specification import Specification
from stocktake.audit.templates import (
    ANSWER,
    CODE,
    COLLECTION_LABEL,
    ORGANISATION_LABEL,
    SERVICE,
    TEMPLATE_LABEL,
    Form,
    FormSheet,
    Question,
    cells_of_form,
    form_of,
    templates_of,
)
from stocktake.audit.workbooks import Grid, cell_name, read_grids, refusal
from stocktake.organisations.populations import parsed_number
from stocktake.organisations.register import Register
from stocktake.problems import StocktakeError, nearest

# What people write where they have no figure.
NOT_KNOWN = frozenset(("n/a", "na", "n.a.", "not known", "unknown", "not available", "-", "nk", "tbc", "?", "x"))
YES, NO = frozenset(("yes", "y")), frozenset(("no", "n"))


@dataclass(frozen=True)
class Entry:
    """One cell of a return: what stands in it, what it is taken for, and where it is.

    `value` is a number, NOT_ANSWERED or NO_SERVICE; `note` says how it was read where that is more than copying.
    """

    item: str
    parts: Parts
    value: float
    entered: str
    sheet: str
    cell: str
    note: str = ""


@dataclass(frozen=True)
class Query:
    """A question back to an organisation about one of its cells, in the words of its form."""

    organisation: str
    template: str
    sheet: str
    cell: str
    question: str
    entered: str
    check: str
    sentence: str


@dataclass(frozen=True)
class Return:
    """One returned form: whose it is, its entries, and the queries about its cells."""

    organisation: str
    template: str
    entries: tuple[Entry, ...]
    queries: tuple[Query, ...]


def read_return(
    path: Path, spec: Specification, register: Register, services: Mapping[str, Mapping[str, frozenset[str]]]
) -> Return:
    """Read one returned form, wherever its sheets, rows and columns have been moved to.

    Raises StocktakeError for a file that is refused, that cannot be read, or that does not say whose it is.
    """
    problem = refusal(path)
    if problem:
        raise StocktakeError(f"{path.name}: {problem}")
    grids = read_grids(path)
    form = _whose(path.name, grids, spec, register, services)
    return _Reader(form, spec).read(grids)


def _whose(
    file: str,
    grids: list[Grid],
    spec: Specification,
    register: Register,
    services: Mapping[str, Mapping[str, frozenset[str]]],
) -> Form:
    """The form that was sent to the organisation that a return names."""
    said: dict[str, str] = {}
    for grid in grids:
        for row, column in grid.cells:
            label = grid.text(row, column)
            if label in (COLLECTION_LABEL, ORGANISATION_LABEL, TEMPLATE_LABEL):
                said.setdefault(label, grid.text(row, column + 1))
    code = said.get(ORGANISATION_LABEL, "")
    if not code:
        raise StocktakeError(
            f"{file}: no cell {ORGANISATION_LABEL!r} with a code beside it; expected a form of this collection."
        )
    if said.get(COLLECTION_LABEL, "") != spec.code:
        raise StocktakeError(f"{file}: a form of {said.get(COLLECTION_LABEL, '')!r}; expected one of {spec.code!r}.")
    known = [c for kind in {k for i in spec.items for k in i.of} for c in register.of_kind(kind, spec.census)]
    if code not in known:
        raise StocktakeError(f"{file}: no organisation {code!r} is asked in this collection.{nearest(code, known)}")
    body, template = register.bodies[code], said.get(TEMPLATE_LABEL, "")
    templates = templates_of(spec, body.kind)
    if template not in templates:
        raise StocktakeError(f"{file}: no template {template!r} for {code}; expected {', '.join(templates) or 'none'}.")
    return form_of(spec, body, template, services.get(code, {}), {})


class _Reader:
    """Finds the cells of one form in the sheets of a return."""

    def __init__(self, form: Form, spec: Specification) -> None:
        self.form, self.spec = form, spec
        self.entries: dict[tuple[str, Parts], Entry] = {}
        self.queries: list[Query] = []
        self.wanted = cells_of_form(form)
        self.absent: set[str] = set()

    def read(self, grids: list[Grid]) -> Return:
        for sheet in self.form.sheets:
            for grid in grids:
                self._sheet(sheet, grid)
        self._what_is_missing()
        return Return(self.form.organisation, self.form.template, tuple(self.entries.values()), tuple(self.queries))

    def _sheet(self, sheet: FormSheet, grid: Grid) -> None:
        """Read the cells of one sheet of the form that stand in one sheet of the return."""
        for row, column in [k for k in grid.cells if grid.text(*k) == CODE]:
            heads = {grid.text(row, c): c for r, c in grid.cells if r == row}
            columns = {"": heads[ANSWER]} if ANSWER in heads and not sheet.dimension else {}
            if sheet.dimension:
                columns = self._options(sheet, heads)
            if columns:
                self._rows(sheet, grid, row, column, columns)

    def _options(self, sheet: FormSheet, heads: Mapping[str, int]) -> dict[str, int]:
        """The columns of a sheet's options, by their titles or the other words that are used for them."""
        dimension = self.spec.dimension[sheet.dimension]
        words = {t.casefold(): o for o, t in dimension.options.items()}
        words |= {w.casefold(): o for w, o in dimension.also.items()}
        have = {o for o, _ in sheet.options}
        return {words[h.casefold()]: c for h, c in heads.items() if words.get(h.casefold()) in have}

    def _rows(self, sheet: FormSheet, grid: Grid, top: int, at: int, columns: Mapping[str, int]) -> None:
        own = {q.code for q in sheet.questions}
        for row in range(top + 1, grid.height + 1):
            code = grid.text(row, at)
            if code == CODE:
                return
            if code == SERVICE:
                self._services(sheet, grid, row, columns)
            elif code in own:
                for option, column in columns.items():
                    question, parts = self.wanted[code, option]
                    self._cell(question, parts, option, grid, row, column)

    def _services(self, sheet: FormSheet, grid: Grid, row: int, columns: Mapping[str, int]) -> None:
        titles = dict(sheet.options)
        for option, column in columns.items():
            said = grid.text(row, column).casefold()
            if said in NO:
                self.absent.add(f"{sheet.dimension}.{option}")
            elif said not in YES:
                place = (grid.name, cell_name(row, column))
                self._ask(*place, f"Do you have this service? {titles[option]}", grid.text(row, column), "service",
                          "Please say Yes or No; it was taken for Yes.")  # fmt: skip

    def _cell(self, question: Question, parts: Parts, option: str, grid: Grid, row: int, column: int) -> None:
        raw = grid.cells.get((row, column))
        place = (grid.name, cell_name(row, column))
        entered = "" if raw is None else str(raw)[:200]
        for key, value, note, complaint in self._values(question, parts, raw, (row, column) in grid.formulas):
            before = self.entries.get(key)
            if before is not None:
                if before.entered != entered:
                    self._ask(
                        *place,
                        question.text,
                        entered,
                        "twice",
                        f"The same question stands in {before.sheet}, cell {before.cell}, with another answer; that one was used. Which is right?",
                    )
                continue
            absent = any(f"{d}.{o}" in self.absent for d, o in zip(self.spec.item[key[0]].by, key[1], strict=True))
            if absent and np.isfinite(value) and value != 0:
                complaint = (
                    "contradiction",
                    "You said that there is no such service, and gave a figure; the figure was used. Which is right?",
                )
            elif absent:
                value, note, complaint = NO_SERVICE, "no such service", None
            self.entries[key] = Entry(*key, value, entered, *place, note)
            if complaint:
                self._ask(*place, question.text, entered, *complaint)

    def _values(
        self, question: Question, parts: Parts, raw: Any, formula: bool
    ) -> Iterator[tuple[tuple[str, Parts], float, str, tuple[str, str] | None]]:
        """What a cell says: item and parts, value, a note, and what is to be asked about it."""
        if not question.choices:
            value, note, complaint = read_number(question, raw, formula)
            yield (question.item, parts), value, note, complaint
            return
        said = "" if raw is None else str(raw).strip().casefold()
        chosen = next((o for o, t in question.choices if said in (t.casefold(), o)), None)
        complaint = None
        if chosen is None and said and said not in NOT_KNOWN:
            complaint = (
                "choice",
                f"Please choose one of {', '.join(t for _, t in question.choices)}; no answer was taken.",
            )
        for number_, (option, _) in enumerate(question.choices):
            value = NOT_ANSWERED if chosen is None else float(option == chosen)
            yield (question.item, (option,)), value, "", complaint if number_ == 0 else None

    def _what_is_missing(self) -> None:
        """A question whose row or column is gone was not answered, and that is said."""
        lost = []
        for question, parts in self.wanted.values():
            keys: list[tuple[str, Parts]] = [(question.item, (o,)) for o, _ in question.choices]
            keys = keys or [(question.item, parts)]
            for key in keys:
                if key not in self.entries:
                    self.entries[key] = Entry(*key, NOT_ANSWERED, "", "", "", "not in the file")
                    lost.append(question.text)
        for text in dict.fromkeys(lost):
            self._ask(
                "",
                "",
                text,
                "",
                "missing",
                "This question, or a part of it, is no longer in your file; please answer it in a fresh form.",
            )

    def _ask(self, sheet: str, cell: str, question: str, entered: str, check: str, sentence: str) -> None:
        form = self.form
        self.queries.append(Query(form.organisation, form.template, sheet, cell, question, entered, check, sentence))


def read_number(question: Question, raw: Any, formula: bool = False) -> tuple[float, str, tuple[str, str] | None]:
    """A cell's number, a note on how it was read, and what is to be asked: the check's name and a sentence.

    What is no number, or outside the range, is not used.
    """
    if formula:
        return NOT_ANSWERED, "", ("formula", "This is a formula without a value; please enter the figure itself.")
    if raw is None:
        return NOT_ANSWERED, "", None
    if isinstance(raw, (bool, datetime.date, datetime.time, datetime.timedelta)):
        return NOT_ANSWERED, "", ("no number", "A number was expected, and this is a date, a time or a truth value.")
    note = ""
    if isinstance(raw, str):
        text = raw.strip().replace("\u00a0", " ")
        if not text:
            return NOT_ANSWERED, "", None
        if text.casefold() in NOT_KNOWN:
            return (
                NOT_ANSWERED,
                "read as not known",
                (
                    "not known",
                    f"{text!r} was read as not known. If you do not have the service, please say No in its first row.",
                ),
            )
        if text.startswith("#"):
            return (
                NOT_ANSWERED,
                "",
                ("error", f"The cell shows {text[:20]!r}, an error of the spreadsheet; please enter the figure."),
            )
        plain = re.sub(r"(?<=\d) (?=\d{3}\b)", ",", text.removeprefix("£").strip())
        found = parsed_number(plain)
        if found is None:
            return (
                NOT_ANSWERED,
                "",
                ("no number", "A number was expected; no answer was taken. Please enter the figure alone."),
            )
        raw, note = found, f"text read as {found:,.10g}"
    value = float(raw)
    if not np.isfinite(value) or value < question.lowest or (question.highest is not None and value > question.highest):
        upto = "" if question.highest is None else f" to {question.highest:,g}"
        return (
            NOT_ANSWERED,
            "",
            ("range", f"A figure from {question.lowest:g}{upto or ' up'} was expected; this one was not used."),
        )
    if question.whole and value != round(value):
        return NOT_ANSWERED, "", ("whole", "A whole number was expected; this figure was not used.")
    return value, note, None
