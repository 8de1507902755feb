"""How a run and a report show themselves in a notebook."""

from __future__ import annotations

from html import escape

from stocktake.render.svg import draw
from stocktake.render.theme import Theme
from stocktake.reports.model import Figure, Report, Table, Text, blocks_of, plain
from stocktake.results import Results
from stocktake.survey.instrument import Survey


def run_html(survey: Survey, results: Results) -> str:
    """A run as a short table of its measures."""
    rows = results.measures.filter((results.measures["year"] == survey.year) & (results.measures["group"] == "all"))
    cells = "".join(
        f"<tr><th scope='row'>{escape(r['measure'])}</th><td>{escape(r['text'][:90])}</td><td>{r['organisations']}</td>"
        f"<td>{'' if r['centre'] is None else format(r['centre'], '.1f')}</td></tr>"
        for r in rows.iter_rows(named=True)
    )
    return (
        f"<h3>{escape(survey.title)}</h3><table><thead><tr><th>Measure</th><th>Wording</th><th>Organisations</th>"
        f"<th>Average</th></tr></thead><tbody>{cells}</tbody></table>"
    )


def report_html(report: Report) -> str:
    """A report as its sentences, tables and charts, one after the other."""
    theme = Theme()
    parts = [f"<h2>{escape(report.organisation)}</h2><p>{escape(report.title)}</p>"]
    for block in blocks_of(report):
        if isinstance(block, Text):
            parts.append(f"<p>{escape(plain(block))}</p>")
        elif isinstance(block, Figure):
            parts.append(draw(block.chart, theme, 640))
        elif isinstance(block, Table):
            parts.append(_table(block))
    return "".join(parts)


def _table(block: Table) -> str:
    head = "".join(f"<th>{escape(h)}</th>" for h in block.header)
    body = "".join("<tr>" + "".join(f"<td>{escape(plain(c))}</td>" for c in row) + "</tr>" for row in block.rows)
    return f"<table><caption>{escape(block.title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
