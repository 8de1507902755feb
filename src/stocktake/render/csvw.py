"""Tidy CSV with its metadata (W3C CSV on the Web), so that programs know every column."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import polars as pl

from stocktake.files import Content
from stocktake.results import Results
from stocktake.results.columns import Schema
from stocktake.results.csv import save_csv
from stocktake.results.schemas import KINDS

DATATYPES = {pl.String: "string", pl.Float64: "double", pl.Int64: "integer", pl.Boolean: "boolean"}
KEYS = {
    "scores": ("year", "group", "organisation", "measure"),
    "firmness": ("year", "group", "organisation", "measure"),
    "changes": ("group", "organisation", "measure", "year_then", "year_now"),
    "fieldwork": ("year", "group", "organisation"),
    "profile": ("year", "group", "organisation", "variable", "option"),
    "measures": ("year", "group", "measure"),
    "figures": ("indicator", "part", "kind", "organisation"),
    "summaries": ("indicator", "part", "kind"),
    "national": ("indicator", "part"),
    "shares": ("series", "year", "breakdown", "group", "line"),
    "share_changes": ("series", "breakdown", "group", "line", "year_then", "year_now"),
    "share_differences": ("series", "year", "breakdown", "group", "line"),
    "courses": ("series", "breakdown", "group", "line", "year_first", "year_last"),
    "series": ("series", "year"),
}
# The tables of each kind of results that everybody may have. What could be worked out is for those who publish, and what
# an organisation entered is for those who collect.
PUBLIC: dict[str, tuple[str, ...]] = {
    "survey": tuple(name for name in KINDS["survey"] if name != "disclosure"),
    "audit": ("figures", "summaries", "national"),
    "trends": ("shares", "share_changes", "courses", "share_differences", "series"),
}
# A figure has its year in its key, which is null in the year of the collection; keys of CSVW may hold no null.
UNDECLARED = ("figures",)
ESCAPED = "A text that begins with =, +, -, @, a tab or a carriage return has an apostrophe in front, so that no spreadsheet program runs it."


def tidy_files(results: Results, title: str) -> dict[str, Content]:
    """Every public table as CSV, and csv-metadata.json, by file name."""
    names = PUBLIC[results.kind]
    files: dict[str, Content] = {f"{name}.csv": partial(save_csv, results.tables[name]) for name in names}
    meta = json.dumps(metadata(results, title), indent=2, ensure_ascii=False) + "\n"
    return {**files, "csv-metadata.json": meta.encode()}


def metadata(results: Results, title: str) -> dict[str, Any]:
    """The CSVW metadata of all tables of what has this title."""
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "dc:title": title,
        "dc:description": f"All results. {ESCAPED} Null figures are empty; their status and reason say why.",
        "dc:identifier": results.digest,
        "tables": [
            _table(name, KINDS[results.kind][name], results.tables[name].columns) for name in PUBLIC[results.kind]
        ],
    }


def _table(name: str, schema: Schema, columns: Sequence[str]) -> dict[str, Any]:
    """One table; a public one may lack columns that the results have."""
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
                for column, (kind, text) in schema.items()
                if column in columns
            ],
            **({} if name in UNDECLARED else {"primaryKey": list(KEYS[name])}),
        },
    }
