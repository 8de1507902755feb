"""The list of places: what is read, and what is wrong with it, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from stocktake.organisations.places import read_places_file
from stocktake.problems import StocktakeError

KNOWN = {"T1", "T2"}


def test_a_place_may_be_served_by_several(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    path.write_text("organisation,place\nT1,Ashby\nT2,Ashby\nT1,Ashby\nT2, Upper Brook \n", "utf-8")
    assert read_places_file(path, KNOWN) == [("Ashby", "T1"), ("Ashby", "T2"), ("Upper Brook", "T2")]


def test_every_mistake_at_once(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    path.write_text("place,organisation\n,T1\nAshby,T3\n", "utf-8")
    with pytest.raises(StocktakeError) as told:
        read_places_file(path, KNOWN)
    assert str(told.value).splitlines() == [
        "places.csv, row 2, column place: expected a place, found nothing.",
        "places.csv, row 3, column organisation: no organisation 'T3'.",
    ]


def test_without_a_file_or_a_column(tmp_path: Path) -> None:
    with pytest.raises(StocktakeError, match="no such file; it lists the places, with columns place and organisation"):
        read_places_file(tmp_path / "places.csv", KNOWN)
    (tmp_path / "places.csv").write_text("place\nAshby\n", "utf-8")
    with pytest.raises(StocktakeError, match="column 'organisation' is missing"):
        read_places_file(tmp_path / "places.csv", KNOWN)
