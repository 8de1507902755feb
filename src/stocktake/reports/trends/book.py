"""The figures of a page of trends as a workbook."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from stocktake.reports.books import CONFIDENTIAL, UNAVAILABLE, Book, Column, Kind, Sheet, Value, sheet_of
from stocktake.reports.trends.pages import TrendPage
from stocktake.results.trend_schemas import TREND_SCHEMAS

_SHARES = ("year", "series", "breakdown", "group", "label", "percent", "lower_95", "upper_95", "base", "left_out", "effective_base", "question", "segment", "reason")  # fmt: skip


def page_book(tables: Mapping[str, pl.DataFrame], page: TrendPage, shares: pl.DataFrame, digest: str) -> Book:
    """A page's percentages and the changes of everybody as sheets; what is withheld has its marker and no figure."""
    report = page.report
    lines = shares.select("series", "line").unique()
    changes = tables["share_changes"].join(lines, on=["series", "line"], how="semi", maintain_order="left")
    sheets = [
        _sheet("Percentages", f"{report.organisation} Percentages by year and group", "shares", shares, _SHARES),
    ]
    if changes.height:
        columns = tuple(n for n in changes.columns if n not in ("breakdown", "group"))
        sheets.append(
            _sheet(
                "Changes",
                f"{report.organisation} Changes between years that compare",
                "share_changes",
                changes,
                columns,
            )
        )
    cover = (report.title, report.organisation, report.date_line, *([report.notice] if report.notice else []))
    return Book(f"{report.title}: {report.organisation}", report.organisation, cover, tuple(sheets), digest)


def _sheet(name: str, title: str, table: str, rows: pl.DataFrame, names: tuple[str, ...]) -> Sheet:
    schema = TREND_SCHEMAS[table]
    columns = tuple(
        Column(n.replace("_", " ").capitalize().replace("95", "95%"), _kind(n, schema[n][0]), schema[n][1])
        for n in names
    )
    body: list[list[Value | None]] = []
    for row in rows.iter_rows(named=True):
        missing = CONFIDENTIAL if row.get("status") == "withheld" else UNAVAILABLE
        body.append([_cell(row[n], schema[n][0], missing) for n in names])
    return sheet_of(name, title, ("Percentages are of people who gave an answer that is counted.",), columns, body)


def _kind(name: str, kind: pl.DataType) -> Kind:
    if kind == pl.String():
        return "text"
    if name.startswith("year"):
        return "year"
    return "count" if kind == pl.Int64() or name == "effective_base" else "score"


def _cell(value: Value | None, kind: pl.DataType, missing: str) -> Value | None:
    if value is None:
        return missing
    return value or "-" if kind == pl.String() else value
