"""Other ways to a PDF of the same story: its HTML, printed by WeasyPrint and by Chromium."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from stocktake.render.theme import Theme
from stocktake.render.web.html import pages_html, text
from stocktake.reports.model import Report

# One sheet of ours is a sheet of theirs: A4 on its side. Tables that are folded up stay so in both.
PAPER = """
@page { size: A4 landscape; margin: 15mm }
body { font: 9pt/1.4 Inter, Arial, sans-serif }
h2, h3 { break-after: avoid } figure, tr { break-inside: avoid } svg { max-width: 100%; height: auto }
details:not([open]) > :not(summary) { display: none }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: 2pt 4pt; border-bottom: .5pt solid #aaa }
"""


def html_of(report: Report, theme: Theme) -> str:
    """A whole report as one HTML document, with the site's styles and every drawing in it."""
    styles = resources.files("stocktake.render.web") / "static" / "site.css"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{text(report.title)}</title>'
        f"<style>{styles.read_text('utf-8')}{PAPER}</style></head><body><main><h1>{text(report.title)}</h1>"
        f"{pages_html(report, theme)}</main></body></html>"
    )


def weasyprint(html: str) -> bytes:
    """By WeasyPrint, as PDF/UA-1."""
    from weasyprint import HTML  # type: ignore[import-not-found]

    made: bytes = HTML(string=html).write_pdf(pdf_variant="pdf/ua-1")
    return made


class Chromium:
    """By a Chromium that is started already, with tags."""

    def __init__(self) -> None:
        from playwright.sync_api import sync_playwright

        path = next((p for n in ("chromium", "chromium-browser") if (p := shutil.which(n))), None)
        if path is None:
            raise ImportError("Chromium is not installed (apt-get install chromium)")
        self.context = sync_playwright().start()
        self.browser = self.context.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])

    def print(self, html: str) -> bytes:
        page = self.browser.new_page()
        page.set_content(html)
        made = page.pdf(prefer_css_page_size=True, tagged=True, outline=True, print_background=True)
        page.close()
        return made

    def close(self) -> None:
        self.browser.close()
        self.context.stop()


def facts(pdf: bytes) -> tuple[int, bool, bool]:
    """How many pages a PDF has, whether it is tagged, and whether it says that it conforms to PDF/UA."""
    from io import BytesIO

    import pikepdf

    with pikepdf.open(BytesIO(pdf)) as document:
        said = b"pdfuaid" in (document.Root.Metadata.read_bytes() if "/Metadata" in document.Root else b"")
        return len(document.pages), "/StructTreeRoot" in document.Root, said


def write_all(folder: Path, report: Report, theme: Theme) -> None:
    """Every way's file, to be looked at."""
    from stocktake.render.pdf import pdf_bytes

    html = html_of(report, theme)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "story.html").write_text(html, "utf-8")
    (folder / "stocktake.pdf").write_bytes(pdf_bytes(report, theme))
    (folder / "weasyprint.pdf").write_bytes(weasyprint(html))
    browser = Chromium()
    (folder / "chromium.pdf").write_bytes(browser.print(html))
    browser.close()
