"""What could be worked out from everything that a folder's results publish."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from stocktake.disclosure.attack import attack, sentences, table_of
from stocktake.run.core import open_run, refuse_or_warn
from stocktake.run.settings import read_settings


@dataclass(frozen=True)
class Found:
    """The pinned figures as sentences, and one that sums up."""

    sentences: list[str]
    summary: str


def pinned_figures(folder: Path) -> Found:
    """Solve the relations between all public tables of a folder for every withheld figure.

    The figures themselves are not repeated, only where they are and what they follow from.
    """
    run = open_run(folder)
    if run.rules is None:
        return Found([], "These results come from a published workbook; its figures are public already.")
    pinned = table_of(attack(run.public, run.rules, run.survey.method.minimum_base))
    withheld = int((run.results.scores["status"] == "withheld").sum())
    if not pinned.height:
        return Found(
            [], f"None of the {withheld:,} withheld scores, and of the numbers behind them, can be worked out."
        )
    return Found(sentences(pinned, pinned.height), f"{pinned.height:,} withheld figures can be worked out.")


def warnings(folder: Path) -> list[str]:
    """What could be worked out from the editions of a folder whose settings allow it, as sentences."""
    pinned = pl.read_parquet(folder / "results" / "disclosure.parquet")
    return refuse_or_warn(pinned, read_settings(folder).disclosure_rules)
