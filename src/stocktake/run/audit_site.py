"""The web edition of a collection: a page for every reader's pack, over charts that all share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from stocktake import __version__
from stocktake.codes import file_name
from stocktake.files import Content, new_folder, write_file, writing
from stocktake.organisations.register import Kind
from stocktake.problems import StocktakeError
from stocktake.reports.audit.facts import WORDS
from stocktake.results.csv import csv_bytes
from stocktake.run.audit import AuditRun, open_audit
from stocktake.run.pool import in_batches

STATIC = ("nhsuk-frontend.css", "site.css")
# The tables that everybody may have, and what they are.
DOWNLOADS = {
    "figures": "Every figure of every organisation and area (CSV)",
    "summaries": "How organisations differ (CSV)",
    "national": "What the means imply for England (CSV)",
}


@cache
def _run(folder: Path) -> AuditRun:
    return open_audit(folder)


def make_audit_site(
    folder: Path, progress: Callable[[int], None] | None = None, begin: Callable[[int], None] | None = None
) -> Path:
    """Write the pages of all packs to folder/site/ and return the first.

    Who reads every pack knows whose figure is whose, whatever one pack hides; so all organisations must be named to
    everyone by the settings. Raises StocktakeError where they are not.
    """
    _run.cache_clear()
    run = _run(folder)
    names = run.collection.settings.names
    hidden = [WORDS[k][1] for k in ("trust", "ccg", "la") if names.of(k) != "everyone"]
    if hidden:
        raise StocktakeError(
            f"a site shows every pack to everybody, so that names of {', '.join(hidden)} cannot be hidden in it; set "
            "`names: {trust: everyone, ccg: everyone, la: everyone}` in audit.yaml, or give each reader its own pack."
        )
    codes = list(run.organisations)
    if begin is not None:
        begin(len(codes))
    with writing(folder), new_folder(folder / "site") as fresh:
        _shared(run, fresh, codes[0])
        in_batches(_make, folder, fresh, codes, progress)
    return folder / "site" / "index.html"


def write_shared(root: Path, run: AuditRun, reader: str) -> None:
    """What the pages of all packs share: charts that are alike for every reader, and the styles."""
    from stocktake.render.web.pack_page import shared_charts

    for name, content in shared_charts(run.report(reader).report, run.theme, __version__).items():
        _write(root, f"charts/{name}", content)
    for name in STATIC:
        _write(root, f"static/{name}", (resources.files("stocktake.render.web") / "static" / name).read_bytes())


def _shared(run: AuditRun, out: Path, reader: str) -> None:
    from stocktake.render.web.html import environment

    write_shared(out, run, reader)
    for name in DOWNLOADS:
        _write(out, f"data/{name}.csv", csv_bytes(run.results.tables[name]))
    bodies = run.collection.register.bodies
    kinds: tuple[Kind, ...] = ("region", "stp", "trust", "ccg", "la")
    groups = [
        (WORDS[kind][1][:1].upper() + WORDS[kind][1][1:], [(file_name(c), n) for c, n in run.organisations.items() if bodies[c].kind == kind])
        for kind in kinds
    ]  # fmt: skip
    spec = run.collection.spec
    page = environment().get_template("packs.html").render(
        root="",
        report=run.report(reader).report,
        version=__version__,
        about=f"{spec.programme or spec.title}. Year from {spec.begins:%d %B %Y}; census on {spec.census:%d %B %Y}.",
        groups=[g for g in groups if g[1]],
        downloads=[(f"{name}.csv", words) for name, words in DOWNLOADS.items()],
    )  # fmt: skip
    _write(out, "index.html", page)


def _make(folder: Path, out: Path, codes: Sequence[str]) -> None:
    from stocktake.render.web.pack_page import pack_page

    run = _run(folder)
    for code in codes:
        page = pack_page(run.report(code).report, run.theme, __version__, "../index.html")
        _write(out, f"packs/{file_name(code, '.html')}", page)


def _write(out: Path, name: str, content: Content) -> None:
    write_file(out / name, content, inside=out)
