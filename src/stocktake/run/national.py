"""National tables and the method annex of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stocktake.run.core import Run, open_run


def make_national(run: Run, folder: Path) -> list[Path]:
    """Write the national tables to a folder: XLSX, ODS, tidy CSV with metadata, and the published layout."""
    from stocktake.render.csvw import write_tidy
    from stocktake.render.ods import write_ods
    from stocktake.render.xlsx import write_xlsx
    from stocktake.reports.published_layout import published_layout
    from stocktake.reports.tables import national_book

    book = national_book(run.results, run.survey, notice=run.settings.notice)
    layout = published_layout(run.results, run.survey, notice=run.settings.notice)
    return [
        write_xlsx(book, folder / "national-tables.xlsx"),
        write_ods(book, folder / "national-tables.ods"),
        write_xlsx(layout, folder / "published-layout.xlsx"),
        write_ods(layout, folder / "published-layout.ods"),
        *write_tidy(run.results, run.survey, folder),
    ]


def make_annex(run: Run, folder: Path) -> Path:
    """Write the method annex as PDF to a folder."""
    from stocktake.render.pdf import write_pdf
    from stocktake.reports.method_annex import method_annex

    report = method_annex(run.results, run.survey, notice=run.settings.notice)
    return write_pdf(report, folder / "method-annex.pdf", run.theme)


WHOLE = ("national", "method")


def make_whole(folder: Path, editions: Sequence[str]) -> list[Path]:
    """Write the editions that tell of all organisations to folder/national/: national tables, the method annex."""
    if not editions:
        return []
    run = open_run(folder)
    out = folder / "national"
    return [
        *(make_national(run, out) if "national" in editions else []),
        *([make_annex(run, out)] if "method" in editions else []),
    ]
