"""The results of a collection, and a finished run of them with every reader's data pack."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from stocktake.audit.answers import Answers, Parts, answers_of
from stocktake.audit.checks import Held
from stocktake.audit.figures import Source
from stocktake.audit.ledger import read_ledger
from stocktake.audit.returns import Return
from stocktake.audit.tables import figures_columns, national_rows, summary_rows
from stocktake.disclosure.small_counts import protected
from stocktake.files import write_file, writing
from stocktake.organisations.register import Kind
from stocktake.problems import StocktakeError, nearest
from stocktake.results import Results
from stocktake.results.audit_schemas import AUDIT_SCHEMAS
from stocktake.results.schemas import frame
from stocktake.results.store import AGAIN, read_results, write_results
from stocktake.run.collection import Collection, open_collection
from stocktake.run.intake import LEDGER, HeldReturns, all_queries, held_returns, part_name, state_of
from stocktake.run.provenance import VERSIONS

if TYPE_CHECKING:
    from stocktake.render.theme import Theme
    from stocktake.reports.audit.pack import Pack
    from stocktake.reports.books import Book
    from stocktake.reports.model import Report


def answers_held(collection: Collection, held: Mapping[str, Held]) -> Answers:
    """The answers that count, as arrays."""
    given: list[tuple[str, str, Parts, float]] = [
        (code, item, parts, entry.value)
        for code, one in held.items()
        for (item, parts), (_, entry) in one.entries.items()
    ]
    return answers_of(collection.spec, collection.register, given, collection.services, collection.earlier)


def source_of(collection: Collection, held: Mapping[str, HeldReturns]) -> Source:
    """What figures are made of, with the returns that count."""
    answers = answers_held(collection, {c: h.held for c, h in held.items()})
    return Source(collection.spec, answers, collection.register, collection.populations)


def audit_results(collection: Collection, read: Mapping[str, Return] | None = None) -> Results:
    """The results of what was received: figures, summaries, national totals, answers and queries; see `make_results`."""
    spec = collection.spec
    lines = read_ledger(collection.folder / LEDGER)
    held = held_returns(collection, lines, read)
    if not held:
        raise StocktakeError(f"{collection.folder}: nothing was received yet; run `stocktake audit intake` first.")
    source = source_of(collection, held)
    rules = collection.settings.disclosure
    blocks, pinned = protected(spec, list(source.blocks()), rules)
    if pinned:
        codes = ", ".join(dict.fromkeys(blocks[p.figure.place[0]].indicator.code for p in pinned))
        raise StocktakeError(
            f"{len(pinned)} numbers below {rules.minimum_count} could be worked out whatever is withheld beside them ({codes})."
        )
    figures = _without_nan(frame("figures", figures_columns(blocks, spec, collection.register)))
    tables = {
        "figures": figures,
        "summaries": frame("summaries", _columns("summaries", summary_rows(blocks, spec))),
        "national": frame("national", _columns("national", national_rows(source, blocks))),
        "answers": _answers(held),
        "queries": frame("queries", _columns("queries", [q.__dict__ for q in all_queries(collection, held)])),
    }
    return Results(tables, provenance(collection), "audit")


def _columns(table: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    return {name: [row.get(name) for row in rows] for name in AUDIT_SCHEMAS[table]}


def _without_nan(table: pl.DataFrame) -> pl.DataFrame:
    floats = [n for n, k in table.schema.items() if k == pl.Float64]
    return table.with_columns(pl.col(n).fill_nan(None) for n in floats)


def _answers(held: Mapping[str, HeldReturns]) -> pl.DataFrame:
    """Every cell of the returns that count, those that the other template's answer set aside among them."""
    rows = []
    for code, one in held.items():
        used = [(True, t, e) for t, e in one.held.entries.values()]
        for counts, template, entry in [*used, *((False, t, e) for t, e in one.held.others)]:
            source = one.sources[template]
            rows.append(
                {
                    "organisation": code,
                    "item": entry.item,
                    "part": part_name(entry.parts),
                    "template": template,
                    "used": counts,
                    "state": state_of(entry.value),
                    "value": entry.value if np.isfinite(entry.value) else None,
                    "entered": entry.entered,
                    "note": entry.note,
                    "file": source.line.file,
                    "sha256": source.line.sha256,
                    "sheet": entry.sheet,
                    "cell": entry.cell,
                    "received": source.line.when,
                    "signed_off_by": source.signed.remark if source.signed else "",
                }
            )
    return frame("answers", _columns("answers", rows))


def provenance(collection: Collection) -> dict[str, Any]:
    """What results were made from: the specification, inputs by role with their SHA-256, checks, and versions."""
    return {
        "audit": collection.spec.code,
        "specification_sha256": collection.digest,
        "inputs": collection.inputs(),
        "checks": collection.settings.checks.model_dump(),
        "disclosure": collection.settings.disclosure.model_dump(),
        "versions": {name: version(name) for name in VERSIONS},
        "python": platform.python_version(),
    }


def make_results(folder: Path, read: Mapping[str, Return] | None = None) -> AuditRun:
    """Compute the results of a collection's folder into its results/; `read` are returns by SHA-256 that were read before."""
    collection = open_collection(folder)
    with writing(folder):
        results = audit_results(collection, read)
        write_results(results, folder / "results")
    return AuditRun(collection, results)


def open_audit(folder: Path) -> AuditRun:
    """A run whose results were written before; raises StocktakeError where they are not of what is there now."""
    collection = open_collection(folder)
    results = read_results(folder / "results", "audit")
    then, now = results.provenance, provenance(collection)
    changed = [
        words
        for key, words in (
            ("specification_sha256", "the specification"),
            ("inputs", "lists, or returns that were received"),
            ("checks", "checks in audit.yaml"),
            ("disclosure", "disclosure in audit.yaml"),
        )
        if then.get(key) != now[key]
    ]
    if then["versions"].get("stocktake") != now["versions"]["stocktake"]:
        changed.append("the version of Stocktake")
    if changed:
        raise StocktakeError(
            f"{folder / 'results'}: made from other inputs than are there now ({'; '.join(changed)}); {AGAIN}."
        )
    return AuditRun(collection, results)


@dataclass(frozen=True)
class AuditRun:
    """A finished run of a collection; `report(code)` is the data pack of one area or organisation."""

    collection: Collection
    results: Results

    @cached_property
    def organisations(self) -> dict[str, str]:
        """Code and name of everybody who gets a pack: areas first, then organisations."""
        register, day = self.collection.register, self.collection.spec.census
        kinds: tuple[Kind, ...] = ("stp", "region", "trust", "ccg", "la")
        return {c: register.bodies[c].name for k in kinds for c in register.of_kind(k, day)}

    @cached_property
    def theme(self) -> Theme:
        from stocktake.render.theme import Theme, load_theme

        name = self.collection.settings.theme
        return Theme() if name is None else load_theme(self.collection.folder / name)

    @cached_property
    def pack(self) -> Pack:
        """What all packs share."""
        from stocktake.reports.audit.pack import Pack

        collection, settings = self.collection, self.collection.settings
        return Pack(
            self.results,
            collection.spec,
            collection.register,
            collection.commentary,
            settings.notice,
            settings.contact,
            settings.secret,
            collection.outlines,
            settings.names,
        )

    def report(self, organisation: str) -> PackReport:
        """The data pack of one reader; raises StocktakeError for a code that is not known."""
        known = list(self.organisations)
        if organisation not in self.organisations:
            raise StocktakeError(f"no organisation {organisation!r} in these results.{nearest(organisation, known)}")
        return PackReport(self, organisation)


@dataclass(frozen=True)
class PackReport:
    """One reader's pack as a value, with ways to write it."""

    run: AuditRun
    organisation: str

    @cached_property
    def report(self) -> Report:
        """The pack: pages of headings, sentences, tables and charts."""
        return self.run.pack.report(self.organisation)

    @cached_property
    def book(self) -> Book:
        """The same figures and more as a workbook."""
        return self.run.pack.book(self.organisation)

    def as_bytes(self, ending: str) -> bytes:
        """The pack in the format of an ending: .pdf (PDF/UA-1), .pptx, .xlsx, .ods, or .html beside shared charts."""
        if ending == ".pdf":
            from stocktake.render.pdf import pdf_bytes

            return pdf_bytes(self.report, self.run.theme)
        if ending == ".pptx":
            from stocktake.render.deck import deck_bytes

            return deck_bytes(self.report, self.run.theme)
        if ending == ".html":
            from stocktake.render.web.pack_page import pack_page

            return pack_page(self.report, self.run.theme, version("stocktake")).encode()
        if ending == ".xlsx":
            from stocktake.render.xlsx import xlsx_bytes

            return xlsx_bytes(self.book)
        if ending == ".ods":
            from stocktake.render.ods import ods_bytes

            return ods_bytes(self.book)
        raise StocktakeError(
            f"cannot write {ending or 'a file without an ending'}; expected .pdf, .pptx, .xlsx, .ods or .html."
        )

    def write(self, path: Path | str) -> Path:
        """Write the pack in the format that the path's ending names."""
        target = Path(path)
        return write_file(target, self.as_bytes(target.suffix.lower()))
