"""Rows of tidy tables as documents for programs: what is not known, or not shown, is left out of a row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from stocktake.reports.api import API
from stocktake.results.schemas import KINDS

DRAFT = "https://json-schema.org/draft/2020-12/schema"
TYPES = {pl.String: "string", pl.Float64: "number", pl.Int64: "integer", pl.Boolean: "boolean"}
# Figures of documents have at most so many decimals.
DECIMALS = 4
# What every document says of itself, with its meaning.
HEAD = {
    "digest": "fingerprint of the results",
    "notice": "what must be said with every figure",
    "licence": "on which terms the figures may be used",
    "code": "code of what the figures are of",
    "name": "its name or title",
}


def head(digest: str, notice: str, licence: str, code: str = "", name: str = "") -> dict[str, str]:
    """What a document says of itself; the list of all documents has no code and name."""
    return {"digest": digest, "notice": notice, "licence": licence, "code": code, "name": name}


def document(head: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], without: Sequence[str] = ()) -> str:
    """A document: what it says of itself, and a list of rows for each table, as JSON.

    Columns of `without` are left out: they are the same in every row.
    """
    told: dict[str, Any] = {"api": API, **{k: v for k, v in head.items() if v != ""}}
    for name, table in tables.items():
        kept = table.drop(without, strict=False).with_columns(pl.col(pl.Float64).round(DECIMALS))
        told[name] = [{k: v for k, v in row.items() if v is not None and v != ""} for row in kept.iter_rows(named=True)]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def shape(kind: str, title: str, head: Mapping[str, str], tables: Sequence[str], without: Sequence[str] = ()) -> str:
    """The shape of such documents as a JSON Schema; `head` has the meaning of what they say of themselves."""
    properties: dict[str, Any] = {"api": {"const": API, "description": "version of this format"}}
    properties |= {name: {"type": "string", "description": text} for name, text in head.items()}
    for table in tables:
        columns = {
            name: {"type": TYPES[type(dtype)], "description": text}
            for name, (dtype, text) in KINDS[kind][table].items()
            if name not in without
        }
        row = {"type": "object", "properties": columns, "additionalProperties": False}
        properties[table] = {"type": "array", "items": row}
    schema = {
        "$schema": DRAFT,
        "title": title,
        "type": "object",
        "properties": properties,
        "required": ["api", *tables],
        "additionalProperties": False,
    }
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def index(head: Mapping[str, Any], **lists: Sequence[Mapping[str, str]]) -> str:
    """The list of all documents by code and name, as JSON."""
    told = {"api": API, **{k: v for k, v in head.items() if v != ""}, **{k: list(v) for k, v in lists.items()}}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
