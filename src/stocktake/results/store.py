"""Results in a folder: written whole, with a manifest by which every later change is noticed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from stocktake.files import interrupted, new_folder, recover, sha256, write_file, writing
from stocktake.problems import StocktakeError
from stocktake.results import Results
from stocktake.results.csv import csv_bytes
from stocktake.results.schemas import KINDS

# Raised with every change of a table's columns or of what they mean.
SCHEMA_VERSION = 6
MANIFEST = "manifest.json"
LABEL = (
    "Not for publication: figures of full precision, from which withheld figures could be worked out. "
    "Publish what the commands report and site write."
)
AGAIN = "run `stocktake benchmark` (or `stocktake published`) again"


def write_results(results: Results, target: Path) -> None:
    """Write every table as Parquet and CSV with a manifest; the new folder takes the old one's place in one step."""
    with writing(target.parent), new_folder(target) as folder:
        digests: dict[str, str] = {}
        for name in results.names:
            table = results.tables[name]
            parquet = write_file(folder / f"{name}.parquet", partial(_save_parquet, table))
            csv = write_file(folder / f"{name}.csv", csv_bytes(table))
            digests |= {parquet.name: sha256(parquet), csv.name: sha256(csv)}
        write_file(folder / "NOT-FOR-PUBLICATION.txt", LABEL + "\n")
        manifest = {
            "label": LABEL,
            "kind": results.kind,
            "schema_version": SCHEMA_VERSION,
            "files": digests,
            "provenance": results.provenance,
        }
        write_file(folder / MANIFEST, json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def _save_parquet(table: pl.DataFrame, path: Path) -> None:
    table.write_parquet(path, compression="zstd", statistics=False)


def read_results(folder: Path, kind: str = "survey") -> Results:
    """Read what `write_results` wrote of a kind of results, `survey` or `audit`.

    Raises StocktakeError where there is nothing, where a file is missing, damaged or not the one that was written, and
    where another version of the program wrote it.
    """
    if interrupted(folder):
        with writing(folder.parent):
            recover(folder)
    path = folder / MANIFEST
    if not path.is_file():
        raise StocktakeError(
            f"{folder}: no results here yet; run `stocktake benchmark` (or `stocktake published`) first."
        )
    manifest = _manifest(path)
    if manifest["schema_version"] != SCHEMA_VERSION:
        raise StocktakeError(
            f"{folder}: the tables have schema version {manifest['schema_version']}, this program reads version "
            f"{SCHEMA_VERSION}; {AGAIN}."
        )
    schemas = KINDS[kind]
    wanted = {f"{name}.{ending}" for name in schemas for ending in ("parquet", "csv")}
    if manifest.get("kind") != kind or set(manifest["files"]) != wanted:
        raise StocktakeError(f"{path}: does not list the tables of this version; {AGAIN}.")
    problems = []
    for name, digest in manifest["files"].items():
        file = folder / name
        if not file.is_file():
            problems.append(f"{name} is missing")
        elif sha256(file) != digest:
            problems.append(f"{name} was changed after it was written")
    if problems:
        raise StocktakeError(f"{folder}: {'; '.join(problems)}; {AGAIN}.")
    tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in schemas}
    for name, table in tables.items():
        if dict(table.schema) != {column: kind for column, (kind, _) in schemas[name].items()}:
            raise StocktakeError(f"{folder}: {name} does not have the columns of this version; {AGAIN}.")
    return Results(tables, manifest["provenance"], kind)


def _manifest(path: Path) -> Mapping[str, Any]:
    try:
        manifest = json.loads(path.read_text("utf-8"))
        if not (
            isinstance(manifest, dict)
            and isinstance(manifest.get("files"), dict)
            and isinstance(manifest.get("provenance"), dict)
            and "schema_version" in manifest
        ):
            raise ValueError
    except (ValueError, RecursionError):
        raise StocktakeError(f"{path}: damaged; {AGAIN}.") from None
    return manifest
