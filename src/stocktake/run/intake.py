"""Templates out, returns in: forms for every organisation, the ledger of what came back, and the queries about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np

from stocktake.audit.answers import NO_SERVICE
from stocktake.audit.checks import Held, change_queries, merged, peer_queries, relations, rule_queries
from stocktake.audit.ledger import Line, added, current, read_ledger, signed_off
from stocktake.audit.lists import BETWEEN
from stocktake.audit.returns import Query, Return, read_return
from stocktake.audit.templates import Form, form_of, templates_of
from stocktake.codes import file_name
from stocktake.files import new_folder, sha256, write_file, writing
from stocktake.organisations.populations import Key
from stocktake.problems import StocktakeError
from stocktake.run.collection import Collection, open_collection
from stocktake.run.pool import on_every_core

LEDGER, RECEIVED, QUERIES, TEMPLATES, RETURNS = "ledger.jsonl", "received", "queries", "templates", "returns"
# Fewer files than this are done sooner in one process.
ALONE = 12


def form(collection: Collection, organisation: str, template: str) -> Form:
    """The form of one organisation with its figures of the year before."""
    spec, last = collection.spec, collection.last_year.get(organisation, {})
    services = collection.services.get(organisation, {})
    return form_of(spec, collection.register.bodies[organisation], template, services, last)


def make_templates(folder: Path, organisations: Sequence[str] | None = None) -> list[Path]:
    """Write the forms of the given organisations (None: all that are asked) to folder/templates/."""
    collection = open_collection(folder)
    known = collection.asked
    wanted = known if organisations is None else list(organisations)
    unknown = [c for c in wanted if c not in known]
    if unknown:
        raise StocktakeError([f"no organisation {c!r} is asked in this collection." for c in unknown])
    jobs = [(folder, c) for c in wanted]
    out: list[Path] = []
    with writing(folder):
        for _, result in on_every_core(_make_template, jobs, alone=ALONE):
            if isinstance(result, StocktakeError):
                raise result
            out += result
    return sorted(out)


def _make_template(folder: Path, organisation: str) -> list[Path]:
    from stocktake.render.forms import form_bytes

    collection = known_collection(folder)
    kind = collection.register.bodies[organisation].kind
    out = []
    for template in templates_of(collection.spec, kind):
        one = form(collection, organisation, template)
        name = f"{file_name(organisation)}{f'-{template}' if template else ''}.xlsx"
        target = folder / TEMPLATES
        out.append(write_file(target / name, form_bytes(one), inside=target))
    return out


@cache
def known_collection(folder: Path) -> Collection:
    """The collection of a folder, opened once in each process."""
    return open_collection(folder)


@dataclass(frozen=True)
class Taken:
    """What an intake did: files received and refused now, and what of the whole collection is asked back."""

    received: int
    refused: tuple[str, ...]
    known_before: int
    organisations: int
    asked: int
    queries: tuple[Query, ...]
    read: Mapping[str, Return] = field(default_factory=dict, repr=False)


def take_in(
    folder: Path,
    source: Path | None = None,
    now: datetime | None = None,
    progress: Callable[[int], None] | None = None,
    read: Mapping[str, Return] | None = None,
) -> Taken:
    """Take in every file of a folder of returns (folder/returns/ unless given), and write the query lists.

    Each file that was not received before is copied to folder/received/ under its SHA-256 and entered in the ledger, in
    the order of their times; one that is refused is kept and entered too, with the reason. `read` are returns by SHA-256
    that an earlier call has read, so that they need not be read again.
    """
    known_collection.cache_clear()
    collection = open_collection(folder)
    path = source or folder / RETURNS
    if not path.is_dir():
        raise StocktakeError(f"{path}: no such folder of returns.")
    files = sorted((p for p in path.iterdir() if p.is_file() and not p.name.startswith((".", "~$"))),
                   key=lambda p: (p.stat().st_mtime, p.name))  # fmt: skip
    when = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with writing(folder):
        lines = read_ledger(folder / LEDGER)
        seen = {line.sha256 for line in lines}
        new = list({digest: p for p in files if (digest := sha256(p)) not in seen}.items())
        results = dict(on_every_core(_read, [(folder, p) for _, p in new], alone=ALONE))
        refused = []
        for number, (digest, file) in enumerate(new):
            result = results[number]
            # Kept before it is entered: a line of the ledger never names a file that is not there.
            kept = folder / RECEIVED / f"{digest}.xlsx"
            write_file(kept, file.read_bytes(), inside=folder / RECEIVED)
            if isinstance(result, StocktakeError):
                refused += list(result.problems)
                lines.append(added(lines, "refused", when, file=file.name, sha256=digest, remark=str(result)))
            else:
                lines.append(
                    added(
                        lines,
                        "received",
                        when,
                        file=file.name,
                        sha256=digest,
                        organisation=result.organisation,
                        template=result.template,
                    )
                )
            if progress is not None:
                progress(1)
        _write_ledger(folder, lines)
        known = {**(read or {}), **{d: r for n, (d, _) in enumerate(new) if isinstance(r := results[n], Return)}}
        held = held_returns(collection, lines, known)
        queries = all_queries(collection, held)
        _write_queries(folder, collection, queries)
    done = len(new) - sum(line.event == "refused" for line in lines[len(lines) - len(new) :]) if new else 0
    return Taken(done, tuple(refused), len(files) - len(new), len(held), len(collection.asked), tuple(queries), known)


def _read(folder: Path, path: Path) -> Return:
    collection = known_collection(folder)
    return read_return(path, collection.spec, collection.register, collection.services)


def _write_ledger(folder: Path, lines: Sequence[Line]) -> None:
    write_file(folder / LEDGER, "".join(line.text() + "\n" for line in lines))


@dataclass(frozen=True)
class Source:
    """Where the entries of a template come from: the line of the ledger, and the line of its sign-off, if any."""

    line: Line
    signed: Line | None


@dataclass(frozen=True)
class HeldReturns:
    """What counts of one organisation, and from which files."""

    held: Held
    returns: tuple[Return, ...]
    sources: Mapping[str, Source]


def held_returns(
    collection: Collection, lines: Sequence[Line], read: Mapping[str, Return] | None = None
) -> dict[str, HeldReturns]:
    """What counts of each organisation: its latest return of each template, merged field by field.

    `read` has returns by SHA-256 that were read already; the others are read from folder/received/.
    """
    counts, signs = current(lines), signed_off(lines)
    known = dict(read or {})
    todo = [line for line in counts.values() if line.sha256 not in known]
    jobs = [(collection.folder, collection.folder / RECEIVED / f"{line.sha256}.xlsx") for line in todo]
    for line, (_, path) in zip(todo, jobs, strict=True):
        if not path.is_file() or sha256(path) != line.sha256:
            raise StocktakeError(f"{path.name}: the return {line.file!r} was changed or removed after it was received.")
    for number, result in on_every_core(_read, jobs, alone=ALONE):
        if isinstance(result, StocktakeError):
            raise result
        known[todo[number].sha256] = result
    by_organisation: dict[str, list[Line]] = {}
    for line in sorted(counts.values(), key=lambda one: one.number):
        by_organisation.setdefault(line.organisation, []).append(line)
    order = {c: i for i, c in enumerate(collection.register.bodies)}
    out = {}
    for code in sorted(by_organisation, key=order.__getitem__):
        own = by_organisation[code]
        returns = tuple(known[line.sha256] for line in own)
        sources = {line.template: Source(line, signs.get((code, line.template))) for line in own}
        out[code] = HeldReturns(merged(code, returns), returns, sources)
    return out


def all_queries(collection: Collection, held: Mapping[str, HeldReturns]) -> list[Query]:
    """Every query: about cells, rules, last year and peers, by organisation in the register's order."""
    spec, checks = collection.spec, collection.settings.checks
    found: dict[str, list[Query]] = {}
    rules = relations(spec)
    for code, one in held.items():
        own = [q for r in one.returns for q in r.queries]
        own += one.held.queries
        own += rule_queries(spec, one.held, rules)
        own += change_queries(spec, one.held, collection.last_year.get(code, {}), checks)
        found[code] = own
    key = Key("registered", "all", spec.begins.year)
    size = {c: collection.populations.of(c, key) for c in collection.asked}
    size = {c: 0.0 if np.isnan(v) else v for c, v in size.items()}
    alone = {c: h.held for c, h in held.items()}
    for kind in dict.fromkeys(collection.register.bodies[c].kind for c in held):
        for query in peer_queries(spec, collection.register, alone, size, kind, checks):
            found[query.organisation].append(query)
    return [q for own in found.values() for q in own]


def _write_queries(folder: Path, collection: Collection, queries: Sequence[Query]) -> None:
    """A list for each organisation that is asked something, in the words of its form; the folder is replaced whole."""
    from stocktake.render.xlsx import xlsx_bytes
    from stocktake.reports.queries import query_book

    by_code: dict[str, list[Query]] = {}
    for query in queries:
        by_code.setdefault(query.organisation, []).append(query)
    with new_folder(folder / QUERIES) as fresh:
        for code, own in by_code.items():
            book = query_book(collection.spec.title, code, collection.register.bodies[code].name, own)
            write_file(fresh / f"{file_name(code)}.xlsx", xlsx_bytes(book), inside=fresh)


def sign_off(folder: Path, organisation: str, by: str, now: datetime | None = None) -> list[Line]:
    """Record that an organisation signs its current returns off; a later return needs a new sign-off."""
    name = by.strip()
    if not name:
        raise StocktakeError("say who signs off: --by NAME.")
    with writing(folder):
        lines = read_ledger(folder / LEDGER)
        own = [line for line in current(lines).values() if line.organisation == organisation]
        if not own:
            raise StocktakeError(f"nothing was received from {organisation!r} yet.")
        when = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
        new = []
        for line in own:
            signed = added(lines, "signed off", when, file=line.file, sha256=line.sha256, organisation=organisation,
                           template=line.template, remark=name)  # fmt: skip
            lines.append(signed)
            new.append(signed)
        _write_ledger(folder, lines)
    return new


def state_of(value: float) -> str:
    """What a cell's value says of its question."""
    return "no service" if value == NO_SERVICE else "not answered" if np.isnan(value) else "answered"


def part_name(parts: Sequence[str]) -> str:
    """The options of a part as one word."""
    return BETWEEN.join(parts)
