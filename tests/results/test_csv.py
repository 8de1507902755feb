"""Texts that a spreadsheet program would run have an apostrophe in front; figures and other texts are as they are."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from stocktake.results.csv import csv_bytes, save_csv

TABLE = pl.DataFrame({"text": ["=1+1", "+1", "-1", "@a", "\tb", "\rc", "a=1", None], "figure": [-1.5, *[2.0] * 7]})


@pytest.mark.parametrize("way", ["bytes", "file"])
def test_risky_texts_are_guarded(way: str, tmp_path: Path) -> None:
    if way == "file":
        save_csv(TABLE, tmp_path / "a.csv")
    data = csv_bytes(TABLE) if way == "bytes" else (tmp_path / "a.csv").read_bytes()
    found = pl.read_csv(data)
    assert found["text"].to_list() == ["'=1+1", "'+1", "'-1", "'@a", "'\tb", "'\rc", "a=1", None]
    assert found["figure"].to_list() == TABLE["figure"].to_list()
