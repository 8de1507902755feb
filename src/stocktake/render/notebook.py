"""How a run and a report show themselves in a notebook."""

from __future__ import annotations

from html import escape

from stocktake.render.theme import Theme
from stocktake.render.web.html import pages_html, table
from stocktake.reports.model import Report
from stocktake.results import Results
from stocktake.survey.instrument import Survey


def run_html(survey: Survey, results: Results) -> str:
    """A run as a short table of its measures."""
    rows = results.measures.filter((results.measures["year"] == survey.year) & (results.measures["group"] == "all"))
    cells = [
        [
            r["measure"],
            r["text"][:90],
            str(r["organisations"]),
            "" if r["centre"] is None else format(r["centre"], ".1f"),
        ]
        for r in rows.iter_rows(named=True)
    ]
    header = ("Measure", "Wording", "Organisations", "Average")
    return f"<h3>{escape(survey.title)}</h3>" + table(survey.title, header, cells, [False, False, True, True])


def report_html(report: Report) -> str:
    """A report as its sentences, tables and charts, one after the other."""
    return f"<h2>{escape(report.organisation)}</h2><p>{escape(report.title)}</p>" + pages_html(report, Theme())
