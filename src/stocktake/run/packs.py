"""Every reader's data pack of a collection, on every core; those that are up to date are left alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from stocktake.codes import file_name
from stocktake.files import writing
from stocktake.run.audit import AuditRun, open_audit
from stocktake.run.audit_site import write_shared
from stocktake.run.documents import FORMATS, Format
from stocktake.run.reporting import Made, chosen, make_files
from stocktake.run.stamps import is_current, stamp_of, write_stamped

ALONE = 4
PackFormat = Format | Literal["html"]
PACK_FORMATS: tuple[PackFormat, ...] = (*FORMATS, "html")


@cache
def _run(folder: Path) -> AuditRun:
    return open_audit(folder)


def make_packs(
    folder: Path,
    organisations: Sequence[str] | None,
    progress: Callable[[Made], None] | None = None,
    begin: Callable[[int], None] | None = None,
    *,
    formats: Sequence[PackFormat] = ("pdf",),
) -> list[Made]:
    """Write the packs of the given readers (None: all areas) to folder/reports/CODE/, those up to date left alone.

    Raises StocktakeError for an unknown code, and with every pack that could not be made.
    """
    _run.cache_clear()
    run = _run(folder)
    areas = [c for c in run.organisations if run.collection.register.bodies[c].kind == "stp"]
    wanted = chosen(organisations, list(run.organisations), areas)
    if begin is not None:
        begin(len(wanted) * len(formats))
    with writing(folder):
        stamp = _stamp(run)
        if "html" in formats:
            write_shared(folder / "reports", run, wanted[0])
        # A few readers a job, so that what all packs share is read once for each worker.
        size = max(1, -(-len(wanted) // 8))
        batches = [wanted[i : i + size] for i in range(0, len(wanted), size)] if len(wanted) >= ALONE else [wanted]
        made = make_files(_make, [(folder, batch, tuple(formats), stamp) for batch in batches], 2, progress)
    order = {c: i for i, c in enumerate(wanted)}
    return sorted(made, key=lambda m: (order[m.organisation], m.path.suffix))


def _stamp(run: AuditRun) -> str:
    """What a pack depends on: the results, settings, sentences, the theme, and the file of boundaries."""
    collection = run.collection
    outlines = collection.settings.outlines
    files = [] if outlines is None else [collection.folder / outlines.file]
    parts = (run.results.digest, collection.settings.model_dump_json(), collection.commentary.model_dump_json())
    return stamp_of(run.theme, parts, files)


def _make(folder: Path, organisations: Sequence[str], formats: Sequence[PackFormat], stamp: str) -> list[Made]:
    run = _run(folder)
    root = folder / "reports"
    made = []
    for code in organisations:
        report = run.report(code)
        for form in formats:
            path = root / file_name(code) / f"data-pack.{form}"
            if is_current(path, stamp):
                made.append(Made(code, path, False))
                continue
            write_stamped(path, report.as_bytes(f".{form}"), stamp, root)
            made.append(Made(code, path, True))
    return made
