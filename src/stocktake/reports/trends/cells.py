"""Percentages and differences as the pages of trends print them."""

from __future__ import annotations

from stocktake.reports.figure_charts import Unit
from stocktake.reports.model import WITHHELD, Cell, Number
from stocktake.reports.words import per_cent
from stocktake.trends.facts import Row, percent_text

UNIT = Unit("% of people", 1)


def share_number(row: Row, column: str = "percent") -> Cell:
    """A percentage of a row of `shares`, to the precision of its kind; a marker where it is withheld."""
    value = row[column]
    if value is None:
        return WITHHELD if row["status"] == "withheld" else "-"
    whole = row["breakdown"] != "all"
    text = per_cent(value) if whole else percent_text(value)
    return Number(
        value, text, f"shares/{row['series']}/{row['line']}/{row['year']}/{row['breakdown']}/{row['group']}/{column}"
    )
