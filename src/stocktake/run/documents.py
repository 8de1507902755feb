"""Every document that a run can make: for whom, in which formats, and under which name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from stocktake.files import Content
from stocktake.run.core import Edition, Paper, Run

Format = Literal["pdf", "pptx", "xlsx", "ods"]
FORMATS: tuple[Format, ...] = ("pdf", "pptx", "xlsx", "ods")
PAPERS: tuple[Paper, ...] = ("a4", "a3")

# Documents of one organisation each, and documents of all of them.
NAMES: dict[Edition, str] = {
    "trust": "benchmark-report",
    "service-groups": "service-groups-report",
    "poster": "poster",
    "board": "board",
}
EDITIONS: tuple[Edition, ...] = ("trust", "service-groups", "poster", "board")
NATIONAL: tuple[str, ...] = ("national", "method")


@dataclass(frozen=True)
class Document:
    """One file of an organisation: which edition, in which format, and for a poster on which paper."""

    edition: Edition
    format: Format
    paper: Paper = "a4"

    @property
    def name(self) -> str:
        paper = f"-{self.paper}" if self.edition == "poster" else ""
        return f"{NAMES[self.edition]}{paper}.{self.format}"

    def content(self, run: Run, organisation: str) -> bytes:
        """The file's bytes; raises Unavailable for an edition that these results do not make."""
        return run.report(organisation, self.edition).as_bytes(f".{self.format}", self.paper)


def documents(editions: Sequence[Edition], formats: Sequence[Format]) -> list[Document]:
    """The files to make of each organisation; a poster is a PDF, in two sizes, and a board's version has slides
    or pages, whatever else is asked for."""
    out = []
    for edition in editions:
        if edition == "poster":
            out += [Document("poster", "pdf", paper) for paper in PAPERS]
        elif edition == "board":
            shown: list[Format] = [form for form in formats if form in ("pdf", "pptx")]
            out += [Document(edition, form) for form in shown or FORMATS[1:2]]
        else:
            out += [Document(edition, form) for form in formats]
    return out


def national_contents(run: Run, names: Sequence[str], without: Sequence[str] = ()) -> Iterator[tuple[str, Content]]:
    """Name and content of every file about all organisations but those `without`, each made when it is asked for."""
    if "national" in names:
        yield from _national_tables(run, without)
    if "method" in names:
        from stocktake.render.pdf import pdf_bytes
        from stocktake.reports.method_annex import method_annex

        report = method_annex(run.public, run.survey, notice=run.settings.notice)
        yield "method-annex.pdf", pdf_bytes(report, run.theme)


def _national_tables(run: Run, without: Sequence[str]) -> Iterator[tuple[str, Content]]:
    """The national tables: XLSX, ODS, tidy CSV with metadata, and the published layout."""
    from stocktake.render.csvw import tidy_files
    from stocktake.render.ods import save_ods
    from stocktake.render.xlsx import save_xlsx
    from stocktake.reports.published_layout import published_layout
    from stocktake.reports.tables import national_book

    savers: tuple[tuple[str, Callable[..., None]], ...] = (("xlsx", save_xlsx), ("ods", save_ods))
    for stem, make in (("national-tables", national_book), ("published-layout", published_layout)):
        wanted = [(f"{stem}.{ending}", save) for ending, save in savers if f"{stem}.{ending}" not in without]
        if not wanted:
            continue
        book = make(run.public, run.survey, notice=run.settings.notice)
        for name, save in wanted:
            yield name, _to_path(save, book)
        # Let go before the next is made: of thousands of organisations each takes half a gigabyte.
        del book
    yield from tidy_files(run.public, run.survey.title).items()


def _to_path(save: Callable[..., None], book: object) -> Callable[[Path], object]:
    return partial(save, book)
