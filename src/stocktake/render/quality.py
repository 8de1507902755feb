"""The data-quality report: what was found, how many, where, and what was done (HTML and CSV)."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl

from stocktake.files import new_folder, write_file, writing
from stocktake.results.csv import csv_bytes
from stocktake.survey.findings import CHECKS, summarise
from stocktake.survey.instrument import Survey

# A page with every one of a million findings is of no use; the CSV has them all.
SHOWN = 200


def write_quality(survey: Survey, waves: list[dict[str, Any]], findings: pl.DataFrame, folder: Path) -> Path:
    """Write data_quality.html and findings.csv to a folder, which is replaced in one step; returns the page's path.

    `waves` has year, rows and set_aside of each wave.
    """
    from jinja2 import Environment

    template = (resources.files("stocktake.render") / "templates" / "data_quality.html").read_text("utf-8")
    page = Environment(autoescape=True).from_string(template)
    html = page.render(
        survey=survey,
        waves=waves,
        checks=CHECKS,
        summary=list(summarise(findings).iter_rows(named=True)),
        findings=list(findings.head(SHOWN).iter_rows(named=True)),
        total=findings.height,
        shown=min(SHOWN, findings.height),
    )
    with writing(folder.parent), new_folder(folder) as fresh:
        write_file(fresh / "findings.csv", csv_bytes(findings))
        write_file(fresh / "data_quality.html", html)
    return folder / "data_quality.html"
