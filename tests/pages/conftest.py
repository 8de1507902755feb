"""Folders with every edition made, once for all tests of pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostile import write_hostile
from made_once import made_once
from stocktake.run.documents import EDITIONS, FORMATS, NATIONAL
from stocktake.run.quality import benchmark_folder
from stocktake.run.reporting import make_national_documents, make_reports
from stocktake.run.site import make_site

CHROMIUM = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every edition in every format of a survey whose names try to be anything but text."""

    def make(folder: Path) -> None:
        write_hostile(folder)
        benchmark_folder(folder)
        make_reports(folder, None, editions=[e for e in EDITIONS if e != "board"], formats=FORMATS)
        make_reports(folder, ("T5",), editions=("board",), formats=("pptx", "pdf"))
        make_national_documents(folder, NATIONAL)
        make_site(folder)

    return made_once(tmp_path_factory, "hostile", make)


@pytest.fixture(scope="session")
def office() -> str:
    if OFFICE is None:
        pytest.skip("needs LibreOffice: apt-get install libreoffice-impress libreoffice-calc")
    return OFFICE


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A real browser, the machine's own Chromium."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
        )
        yield opened
        opened.close()
