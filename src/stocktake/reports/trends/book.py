"""The figures of a page of trends as a workbook."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from stocktake.reports.books import CONFIDENTIAL, UNAVAILABLE, Book, Column, Sheet, Value, sheet_of
from stocktake.reports.trends.pages import TrendPage
from stocktake.trends.tables import EVERYBODY

ANSWER = Column("Answer", "text", "The answer, or answers counted together, that the figures are of.")
QUESTION = Column("Question", "text", "What was asked, in the wording of the latest year.")
LOWER = Column("95% interval, lower", "score", "Where the 95% interval begins.")
UPPER = Column("95% interval, upper", "score", "Where the 95% interval ends.")

# Each column of a sheet by the column of the table that it shows.
SHARES: dict[str, Column] = {
    "year": Column("Year", "year", "Year of the survey."),
    "title": QUESTION,
    "people": Column("People by", "text", "The characteristic, or the two together, that tells the groups apart."),
    "group": Column("Group", "text", "Whose answers they are."),
    "label": ANSWER,
    "percent": Column("Per cent", "score", "Weighted percentage of those who gave an answer that is counted."),
    "lower_95": LOWER,
    "upper_95": UPPER,
    "base": Column("Base", "count", "People who gave an answer that is counted."),
    "left_out": Column("Left out", "count", "People who gave another answer, such as that they did not know."),
    "effective_base": Column(
        "Effective base", "count", "How many equally weighted answers would give the same precision (Kish)."
    ),
    "question": Column("Code", "text", "Code of the question in that year's questionnaire."),
    "segment": Column("Stretch", "count", "Years with the same number compare with one another."),
    "reason": Column("Remark", "text", "Why a figure is missing, where the reason is known."),
}  # fmt: skip
CHANGES: dict[str, Column] = {
    "title": QUESTION,
    "label": ANSWER,
    "year_then": Column("Earlier year", "year", "The year that is compared with."),
    "year_now": Column("Later year", "year", "The year that is compared."),
    "then": Column("Per cent then", "score", "Weighted percentage in the earlier year."),
    "now": Column("Per cent now", "score", "Weighted percentage in the later year."),
    "points": Column("Change, points", "score", "Later less earlier, in percentage points."),
    "lower_95": LOWER,
    "upper_95": UPPER,
    "z": Column("z", "precise", "The change over its standard error, with the share of both years together."),
    "p": Column("p-value", "precise", "How likely so large a change is by chance alone, either way."),
    "verdict": Column("Verdict", "text", "Rose or fell: by more than chance would explain, at the 5% level."),
}


def page_book(tables: Mapping[str, pl.DataFrame], page: TrendPage, shares: pl.DataFrame, digest: str) -> Book:
    """A page's percentages and the changes of everybody as sheets; what is withheld has its marker and no figure."""
    report = page.report
    lines = shares.select("series", "line", "year", "label").sort("year", maintain_order=True)
    lines = lines.unique(["series", "line"], keep="last").drop("year")
    titles = tables["series"].sort("year").unique("series", keep="last").select("series", "title")
    changes = (
        tables["share_changes"]
        .join(lines, on=["series", "line"], maintain_order="left")
        .join(titles, on="series", maintain_order="left")
    )
    people = tables["breakdowns"].with_columns(
        people=pl.when(pl.col("breakdown") == EVERYBODY).then(pl.lit("Everybody together")).otherwise("title")
    )
    rows = shares.join(people.select("breakdown", "people"), on="breakdown", how="left", maintain_order="left").join(
        titles, on="series", how="left", maintain_order="left"
    )
    sheets = [_sheet("Percentages", f"{report.organisation} Percentages by year and group", SHARES, rows)]
    if changes.height:
        sheets.append(_sheet("Changes", f"{report.organisation} Changes between years that compare", CHANGES, changes))
    cover = (report.title, report.organisation, report.date_line, *([report.notice] if report.notice else []))
    return Book(f"{report.title}: {report.organisation}", report.organisation, cover, tuple(sheets), digest)


def _sheet(name: str, title: str, columns: Mapping[str, Column], rows: pl.DataFrame) -> Sheet:
    body: list[list[Value | None]] = []
    for row in rows.iter_rows(named=True):
        missing = CONFIDENTIAL if row.get("status") == "withheld" else UNAVAILABLE
        body.append([missing if row[n] is None else "-" if row[n] == "" else row[n] for n in columns])
    about = ("Percentages are of people who gave an answer that is counted.",)
    return sheet_of(name, title, about, tuple(columns.values()), body)
