"""Tidy CSV with its metadata (W3C CSV on the Web), so that programs know every column."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import polars as pl

from stocktake.files import Content
from stocktake.results import Results
from stocktake.results.csv import save_csv
from stocktake.results.schemas import SCHEMAS
from stocktake.survey.instrument import Survey

DATATYPES = {pl.String: "string", pl.Float64: "double", pl.Int64: "integer", pl.Boolean: "boolean"}
KEYS = {
    "scores": ("year", "group", "organisation", "measure"),
    "firmness": ("year", "group", "organisation", "measure"),
    "changes": ("group", "organisation", "measure", "year_then", "year_now"),
    "fieldwork": ("year", "group", "organisation"),
    "profile": ("year", "group", "organisation", "variable", "option"),
    "measures": ("year", "group", "measure"),
}
# What could be worked out is for those who publish, not for those who read.
PUBLIC = tuple(name for name in SCHEMAS if name != "disclosure")
ESCAPED = "A text that begins with =, +, -, @, a tab or a carriage return has an apostrophe in front, so that no spreadsheet program runs it."


def tidy_files(results: Results, survey: Survey) -> dict[str, Content]:
    """Every public table as CSV, and csv-metadata.json, by file name."""
    files: dict[str, Content] = {f"{name}.csv": partial(save_csv, results.tables[name]) for name in PUBLIC}
    meta = json.dumps(metadata(results, survey), indent=2, ensure_ascii=False) + "\n"
    return {**files, "csv-metadata.json": meta.encode()}


def metadata(results: Results, survey: Survey) -> dict[str, Any]:
    """The CSVW metadata of all tables."""
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "dc:title": survey.title,
        "dc:description": f"All results. {ESCAPED} Null figures are empty; their status and reason say why.",
        "dc:identifier": results.digest,
        "tables": [_table(name, SCHEMAS[name]) for name in PUBLIC],
    }


def _table(name: str, columns: Any) -> dict[str, Any]:
    return {
        "url": f"{name}.csv",
        "dc:title": name,
        "tableSchema": {
            "columns": [
                {
                    "name": column,
                    "titles": column,
                    "dc:description": text,
                    "datatype": DATATYPES[type(kind)],
                    "required": column in KEYS[name],
                }
                for column, (kind, text) in columns.items()
            ],
            "primaryKey": list(KEYS[name]),
        },
    }
