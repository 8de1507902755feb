"""What could be worked out from everything that a folder's results publish."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from stocktake.audit.figures import WITHHELD
from stocktake.audit.ledger import read_ledger
from stocktake.disclosure.attack import attack, sentences, table_of
from stocktake.disclosure.count_relations import Attacker, Figure, figures_of
from stocktake.disclosure.small_shares import following
from stocktake.run.audit import open_audit, source_of
from stocktake.run.core import open_run, refuse_or_warn
from stocktake.run.intake import LEDGER, held_returns
from stocktake.run.kinds import is_collection, is_trends
from stocktake.run.settings import read_settings
from stocktake.run.trends import open_trends, read_blocks
from stocktake.trends.tables import Hidden


@dataclass(frozen=True)
class Found:
    """The pinned figures as sentences, and one that sums up."""

    sentences: list[str]
    summary: str


def pinned_figures(folder: Path) -> Found:
    """Solve the relations between all public tables of a folder for every withheld figure.

    The figures themselves are not repeated, only where they are and what they follow from.
    """
    if is_collection(folder):
        return _pinned_counts(folder)
    if is_trends(folder):
        return _pinned_shares(folder)
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


def _pinned_counts(folder: Path) -> Found:
    """The same for a collection's returns: which small number follows from the figures in its results."""
    run = open_audit(folder)
    collection = run.collection
    source = source_of(collection, held_returns(collection, read_ledger(folder / LEDGER)))
    blocks = list(source.blocks())
    attacker = Attacker(collection.spec, figures_of(collection.spec, blocks), collection.settings.disclosure)
    table = run.results.tables["figures"].filter((pl.col("status") == WITHHELD) & pl.col("year").is_null())
    withheld = set(table.select("indicator", "part", "kind", "organisation").iter_rows())

    def key(figure: Figure) -> tuple[str, str, str, str]:
        block = blocks[figure.place[0]]
        return block.indicator.code, block.part, block.kind, block.organisations[figure.place[1]]

    attacker.hidden = {f.place for f in attacker.figures if key(f) in withheld}
    small = attacker.small()
    printed = [f for f in small if f.place not in attacker.hidden]
    pinned = {key(p.figure): p for p in attacker.pinned(small)}
    lines = [f"{' '.join(key(f)[i] for i in (0, 1, 3))}: a number below the minimum is printed." for f in printed]
    lines += [
        f"{k[0]} {k[1]} {k[3]}: a withheld number can be worked out to within {p.high - p.low:.3g}."
        for k, p in pinned.items()
    ]
    if lines:
        return Found(lines, f"{len(lines):,} small numbers are printed or can be worked out.")
    return Found([], f"None of the small numbers behind {len(withheld):,} withheld figures can be worked out.")


def _pinned_shares(folder: Path) -> Found:
    """The same for trends: which small number of people follows from the percentages in its results."""
    run = open_trends(folder)
    rules = run.settings.disclosure
    blocks = read_blocks(folder, run.settings).blocks
    table = run.results.tables["shares"]
    withheld = table.filter(pl.col("status") == "withheld")
    lines = set(withheld.select("series", "year", "breakdown", "group", "line").iter_rows())
    groups = set(withheld.filter(pl.col("base").is_null()).select("series", "year", "breakdown", "group").iter_rows())
    hidden, systems = [], dict[tuple[str, int], list[int]]()
    for i, block in enumerate(blocks):
        keys = [(block.series.code, block.year, block.breakdown.name, label) for label in block.breakdown.labels]
        # A group of which nothing is shown is withheld whole, and its number of people with it.
        whole = np.array([k in groups for k in keys])
        own = np.array([[(*k, line.code) in lines for line in block.lines] for k in keys]).reshape(len(keys), -1)
        hidden.append(Hidden(whole, own & ~whole[:, None]))
        systems.setdefault((block.series.code, block.year), []).append(i)
    found = [one for places in systems.values() for one in following(blocks, hidden, places, rules)]
    said = [
        f"{b.series.code}, {b.year}, {b.breakdown.name}, {b.breakdown.labels[f.group]}: a number of fewer than {rules.minimum_count} "
        "people, or of a withheld group, can be worked out."
        for f in found
        for b in (blocks[f.block],)
    ]
    if said:
        return Found(list(dict.fromkeys(said)), f"{len(found):,} small numbers can be worked out.")
    return Found([], f"None of the small numbers behind {withheld.height:,} withheld percentages can be worked out.")


def warnings(folder: Path) -> list[str]:
    """What could be worked out from the editions of a folder whose settings allow it, as sentences."""
    pinned = pl.read_parquet(folder / "results" / "disclosure.parquet")
    return refuse_or_warn(pinned, read_settings(folder).disclosure_rules)
