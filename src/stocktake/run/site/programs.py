"""What a site holds for programs and search engines: documents, tables, the search's words, a map and a feed."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from importlib import resources
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

from stocktake.files import Content
from stocktake.organisations.places import read_places_file
from stocktake.render.csvw import PUBLIC, tidy_files
from stocktake.render.web.discovery import About
from stocktake.reports.api import Index, Named, schemas
from stocktake.reports.regions import Places
from stocktake.results import Results
from stocktake.run.core import Run
from stocktake.run.settings import Publishing

STATIC = ("nhsuk-frontend.css", "site.css", "site.js")


def api_files(
    run: Run, places: Places, titles: Sequence[tuple[str, str]], head: Mapping[str, str]
) -> dict[str, Content]:
    """The list of all documents, and the shape of each kind of document."""
    survey = run.survey
    of_section = {q.code: q.section or "" for q in survey.scored}
    index = Index(
        survey=survey.code,
        year=survey.year,
        organisations=tuple(
            Named(code=c, name=n, kind=places.get(c, ("", ""))[0], region=places.get(c, ("", ""))[1])
            for c, n in run.organisations.items()
        ),
        measures=tuple(
            Named(code=m, name=t, kind="question" if m in of_section else "section", section=of_section.get(m, ""))
            for m, t in titles
        ),
        **head,
    )
    out: dict[str, Content] = {"api/v1/index.json": index.model_dump_json()}
    for name, schema in schemas().items():
        out[f"api/v1/{name}.schema.json"] = json.dumps(schema, indent=1, sort_keys=True) + "\n"
    return out


def parquet_files(results: Results) -> dict[str, Content]:
    """Every public table as Parquet."""
    out: dict[str, Content] = {}
    for name in PUBLIC[results.kind]:
        table = results.tables[name]
        if table.height:
            held = io.BytesIO()
            table.write_parquet(held, compression="zstd")
            out[f"{name}.parquet"] = held.getvalue()
    return out


def read_places(folder: Path, run: Run) -> list[tuple[str, str]]:
    """Places with the code of the organisation that serves each, where a list is given."""
    name = run.settings.site.places
    return [] if name is None else read_places_file(folder / name, set(run.organisations))


def search_script(run: Run, titles: Sequence[tuple[str, str]], served: Sequence[tuple[str, str]]) -> str:
    """What the search looks through: kind, words, page; a script, so that it works from a folder as well."""
    entries = [["trust", f"{name} ({code})", f"trusts/{quote(code)}.html"] for code, name in run.organisations.items()]
    short = {q.code: q.short for q in run.survey.scored}
    section = {q.code: run.survey.section(q.section).title for q in run.survey.scored if q.section}
    # What a question is about in short, and its section's name, are looked through and not shown.
    entries += [
        ["question", t if t == m else f"{m} {t}", f"measures/{quote(m)}.html", f"{short.get(m, '')} {section.get(m, '')}".strip()]
        for m, t in titles
    ]  # fmt: skip
    entries += [
        ["place", f"{place}: {run.organisations[code]}", f"trusts/{quote(code)}.html"] for place, code in served
    ]
    return f"window.stocktakeSearch = {json.dumps(entries, ensure_ascii=False, separators=(',', ':'))};\n"


def sitemap(site: Path, address: str) -> str:
    """Every page of a finished site, by the protocol of sitemaps.org."""
    base = address.rstrip("/")
    pages = sorted(
        p.relative_to(site).as_posix()
        for p in site.rglob("*.html")
        if p.name != "404.html" and p.parent.name != "embed"
    )
    urls = "".join(f"<url><loc>{escape(f'{base}/{quote(p)}')}</loc></url>\n" for p in pages)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n'


def feed(title: str, address: str, publisher: str, updates: Sequence[tuple[date, str]]) -> str:
    """The updates of a site, each with its day, as Atom."""
    base = address.rstrip("/")
    who = escape(publisher or title)
    dated = [(f"{day.isoformat()}T00:00:00Z", text) for day, text in updates]
    entries = "".join(
        f"<entry><id>{escape(base)}/#{when[:10]}-{i}</id><title>{escape(text)}</title><updated>{when}</updated>"
        f'<link href="{escape(base)}/index.html"/></entry>\n'
        for i, (when, text) in enumerate(dated)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n<id>{escape(base)}/</id><title>{escape(title)}</title>'
        f'<updated>{max(when for when, _ in dated)}</updated><author><name>{who}</name></author><link rel="self" href="{escape(base)}/feed.xml"/>\n{entries}</feed>\n'
    )


def zipped(contents: Mapping[str, Content]) -> Callable[[Path], None]:
    """A writer of a ZIP file of these contents, the same bytes whenever it is made."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive, tempfile.TemporaryDirectory(dir=path.parent) as beside:
            for name, content in contents.items():
                about = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))
                about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                if callable(content):
                    held = Path(beside) / "table"
                    content(held)
                    data = held.read_bytes()
                else:
                    data = content.encode() if isinstance(content, str) else content
                archive.writestr(about, data)

    return write


def discovery_files(
    title: str, address: str, card: bytes, publisher: str, updates: Sequence[tuple[date, str]]
) -> dict[str, Content]:
    """What a site at an address has for those who share it, follow it and search it; the map of its pages comes last."""
    base = address.rstrip("/")
    return {
        "static/card.png": card,
        "feed.xml": feed(title, address, publisher, updates),
        "robots.txt": f"User-agent: *\nAllow: /\nSitemap: {base}/sitemap.xml\n",
    }


def table_files(results: Results, title: str) -> dict[str, Content]:
    """Every public table as CSV in one archive, with the meaning of its columns, and as Parquet."""
    tidy = tidy_files(results, title)
    parquet = {f"data/{name}": content for name, content in parquet_files(results).items()}
    return {"data/tidy-tables.zip": zipped(tidy), "data/csv-metadata.json": tidy["csv-metadata.json"], **parquet}


def static_files() -> dict[str, Content]:
    """The styles and the script of every site."""
    return {f"static/{n}": (resources.files("stocktake.render.web") / "static" / n).read_bytes() for n in STATIC}


def about_of(told: Publishing) -> About:
    """What a site says of itself, from its settings."""
    return About(told.address, told.publisher, told.licence, told.licence_address, told.feedback)
