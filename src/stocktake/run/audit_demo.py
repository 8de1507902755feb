"""The audit demo: an invented collection from its lists to the pack of one area, by way of real files with real faults."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from stocktake.audit.answers import Parts
from stocktake.audit.simulate import Simulation, faults, simulate
from stocktake.audit.specification import load
from stocktake.audit.templates import items_of, templates_of
from stocktake.codes import file_name
from stocktake.files import write_file, writing
from stocktake.organisations.register import Kind
from stocktake.problems import StocktakeError
from stocktake.run.audit import make_results
from stocktake.run.collection import open_collection
from stocktake.run.intake import (
    LEDGER,
    QUERIES,
    RECEIVED,
    RETURNS,
    TEMPLATES,
    form,
    known_collection,
    make_templates,
    part_name,
    sign_off,
    take_in,
)
from stocktake.run.kinds import AUDIT
from stocktake.run.packs import PACK_FORMATS, make_packs
from stocktake.run.pool import on_every_core

MARK = "# A simulated collection of invented organisations: no figure here is a real organisation's."
YAML = f"""{MARK}
specification: cmhs_2017
notice: Invented data. No figure here is a real organisation's.
secret: invented for the demo
services: services.csv
earlier: earlier.csv
"""
# An authority whose two forms, filled in by two people, have different numbers of the same professionals.
TWO_ANSWERS = ("L003", "workforce")
# The first return of an area comes on the first day; corrections come later.
FIRST_DAY, SECOND_DAY = 1_510_000_000, 1_512_000_000


@cache
def simulation() -> Simulation:
    """The demo's collection."""
    return simulate(load("cmhs_2017"))


@cache
def _faults() -> dict[str, list[tuple[tuple[str, Parts], Any]]]:
    out: dict[str, list[tuple[tuple[str, Parts], Any]]] = {}
    for code, cell, value, _ in faults(simulation()):
        out.setdefault(code, []).append((cell, value))
    return out


def audit_folder(folder: Path) -> None:
    """Write the lists of a simulated collection to a folder, with audit.yaml."""
    settings = folder / AUDIT
    if settings.exists():
        _check_demo(folder)
    made = simulation()
    bodies = [(b.code, b.name, b.kind, b.begins, b.ends, b.successor) for b in made.register.bodies.values()]
    links = [(m.child, m.parent, m.begins, m.ends) for m in made.register.memberships]
    people = [(c, k.kind, k.ages, k.year, v) for (c, k), v in made.populations.people.items()]
    services = [(c, d, o) for c, own in made.services.items() for d, options in own.items() for o in sorted(options)]
    earlier = [(c, i, part_name(p), y, v) for (c, i, p, y), v in made.earlier.items()]
    known_collection.cache_clear()
    with writing(folder):
        for name, columns, rows in (
            ("organisations.csv", ["code", "name", "kind", "begins", "ends", "successor"], bodies),
            ("memberships.csv", ["child", "parent", "begins", "ends"], links),
            ("populations.csv", ["code", "kind", "ages", "year", "people"], people),
            ("services.csv", ["code", "dimension", "option"], services),
            ("earlier.csv", ["organisation", "item", "parts", "year", "value"], earlier),
        ):
            write_file(folder / name, pl.DataFrame(rows, schema=columns, orient="row").write_csv())
        write_file(settings, YAML)


def simulated_returns(folder: Path, corrected: bool = False) -> int:
    """Fill in the forms of those that take part, as they come back to folder/returns/: with faults, or corrected.

    Some have another name or moved sheets; one has macros, one is no workbook. Returns how many files there are.
    """
    wrong, made = _faults(), simulation()
    kinds: tuple[Kind, ...] = ("trust", "ccg", "la")
    codes = [c for k in kinds for c in made.taking_part(k)]
    if corrected:
        codes = [c for c in codes if c in wrong]
    with writing(folder):
        for _, result in on_every_core(_fill_in, [(folder, c, corrected) for c in codes], alone=12):
            if isinstance(result, StocktakeError):
                raise result
        if not corrected:
            write_file(folder / RETURNS / "notes from a telephone call.xlsx", "Not a workbook\n")
    return sum(p.is_file() for p in (folder / RETURNS).iterdir())


def _fill_in(folder: Path, organisation: str, corrected: bool) -> None:
    from stocktake.render.forms import form_bytes

    collection, made = known_collection(folder), simulation()
    body = collection.register.bodies[organisation]
    for template in templates_of(made.spec, body.kind):
        items = {i.code for i in items_of(made.spec, body.kind, template)}
        values: dict[tuple[str, Parts], Any] = {k: v for k, v in made.of[organisation].items() if k[0] in items}
        for cell, value in () if corrected else _faults().get(organisation, ()):
            values[cell] = value
        if organisation == TWO_ANSWERS[0] and template == TWO_ANSWERS[1]:
            values["amhp", ()] = float(values["amhp", ()]) + 2
        one = form(collection, organisation, template)
        content = form_bytes(one, values)
        number = int("".join(c for c in organisation if c.isdigit()))
        if number % 7 == 0 and not corrected:
            content = _moved(content)
        stem = f"{file_name(organisation)}{f'-{template}' if template else ''}"
        name = f"{stem} corrected.xlsx" if corrected else f"{stem} FINAL v2.xlsx" if number % 5 == 0 else f"{stem}.xlsx"
        target = folder / RETURNS / name
        write_file(target, content, inside=folder / RETURNS)
        day = SECOND_DAY if corrected else FIRST_DAY
        os.utime(target, (day, day + number))


def _moved(content: bytes) -> bytes:
    """The same return after somebody has worked on it: sheets in another order and renamed, a row and a column put in."""
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content))
    sheets: Sequence[Any] = book.worksheets
    book.move_sheet(sheets[-1], -1)
    page = sheets[1]
    page.title = f"{page.title} (done)"[:31]
    page.protection.sheet = False
    page.insert_rows(1, 2)
    page.insert_cols(1)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@dataclass(frozen=True)
class AuditDemo:
    """What the demo made, and where to look."""

    templates: int
    received: int
    refused: tuple[str, ...]
    queries: int
    queries_left: int
    organisations: int
    asked: int
    packs: list[Path]


# An area whose trust serves it alone, as in the pack that is the model; and who signs off.
DEMO_AREA, SIGNER = "STP21", "A. Director"


def make_audit_demo(folder: Path, say: Callable[[str], None]) -> AuditDemo:
    """From nothing to forms, returns with faults, queries, corrected returns, results, and the pack of one area."""
    if (folder / AUDIT).is_file():
        _check_demo(folder)
        # The demo begins from nothing; the ledger of a collection of one's own is never removed.
        for old in (RETURNS, RECEIVED, TEMPLATES):
            shutil.rmtree(folder / old, ignore_errors=True)
        (folder / LEDGER).unlink(missing_ok=True)
    say("Writing the lists of 56 trusts, 209 CCGs and 152 local authorities, all invented, in 44 areas...")
    audit_folder(folder)
    templates = make_templates(folder)
    say(f"{len(templates)} forms to fill in: {folder / TEMPLATES}")
    files = simulated_returns(folder)
    first = take_in(folder)
    say(f"{files} files came back; {first.received} were received, {len(first.refused)} refused.")
    for sentence in first.refused:
        say(f"  {sentence}")
    say(f"{len(first.queries)} queries went back: {folder / QUERIES}")
    simulated_returns(folder, corrected=True)
    second = take_in(folder, read=first.read)
    say(f"{second.received} corrected returns replaced earlier ones; {len(second.queries)} queries are left.")
    collection = open_collection(folder)
    for code in collection.register.members(DEMO_AREA, "trust", collection.spec.census):
        sign_off(folder, code, SIGNER)
    run = make_results(folder, second.read)
    say(
        f"{run.results.tables['figures'].height:,} figures of {len(run.collection.spec.displays)} displays: {folder / 'results'}"
    )
    made = make_packs(folder, [DEMO_AREA], formats=PACK_FORMATS)
    return AuditDemo(len(templates), first.received, first.refused, len(first.queries), len(second.queries),
                     second.organisations, second.asked, [m.path for m in made])  # fmt: skip


def _check_demo(folder: Path) -> None:
    if not (folder / AUDIT).read_text("utf-8", "replace").startswith(MARK):
        raise StocktakeError(f"{folder / AUDIT} already exists and is not a demo's; choose another folder with --out.")
