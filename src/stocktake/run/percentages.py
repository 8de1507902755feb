"""What people answered, nationally and by region and wave, from the files of a survey's folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from stocktake.compare.change import share_change
from stocktake.files import writing
from stocktake.organisations import Organisation
from stocktake.problems import StocktakeError
from stocktake.results.csv import csv_bytes
from stocktake.run.settings import load_instrument, read_settings
from stocktake.run.waves import waves_of_folder
from stocktake.survey.instrument import Survey
from stocktake.survey.percentages import (
    Influence,
    NationalWeights,
    Percentages,
    counted_options,
    invited_cells,
    national_weights,
    percentages,
)
from stocktake.survey.scores import cell_respondents
from stocktake.survey.wave import Wave

ENGLAND = "England"
# A percentage of fewer people says who they are; see docs/disclosure.md.
LEAST_BASE = 30


@dataclass(frozen=True)
class NationalPercentages:
    """`percentages` and `changes` as tables, and sentences about what was done to make them."""

    percentages: pl.DataFrame
    changes: pl.DataFrame
    notes: tuple[str, ...]


def national_percentages(folder: Path, influence: Influence = "survey") -> NationalPercentages:
    """The percentages of every question that has options, of England and each region, for each wave of a folder.

    Raises StocktakeError where a file cannot be read or a wave is blocked.
    """
    settings = read_settings(folder)
    survey = load_instrument(settings, folder)
    waves = waves_of_folder(folder, settings, survey)
    rows: list[dict[str, Any]] = []
    found: dict[tuple[str, str], list[tuple[int, Percentages]]] = {}
    notes: list[str] = []
    for wave, organisations in sorted(waves, key=lambda pair: pair[0].year):
        if wave.counts is None:
            raise StocktakeError(f"{wave.year}: this wave is blocked; `stocktake check {folder}` says why.")
        weights = _weights(wave, survey, notes)
        for question in survey.questions:
            if question.code not in wave.asked:
                continue
            for area, members in _areas(organisations):
                one = percentages(wave.counts, wave.survey, question.code, weights, rows=members, influence=influence)
                if one.base < LEAST_BASE:
                    continue
                found.setdefault((area, question.code), []).append((wave.year, one))
                rows += _rows(wave.year, area, survey, one, weights)
    return NationalPercentages(
        pl.DataFrame(rows, schema=PERCENTAGES), pl.DataFrame(_changes(survey, found), schema=CHANGES), tuple(notes)
    )


def write_percentages(folder: Path, influence: Influence = "survey") -> tuple[list[Path], NationalPercentages]:
    """Write the tables to folder/percentages/; not for publication as they stand, for small numbers are in them."""
    from stocktake.files import new_folder, write_file

    made = national_percentages(folder, influence)
    out = folder / "percentages"
    about = "Not for publication: numbers are exact, and small ones are not withheld.\n" + "".join(
        f"{n}\n" for n in made.notes
    )
    with writing(folder), new_folder(out) as fresh:
        write_file(fresh / "README.txt", about)
        write_file(fresh / "percentages.csv", csv_bytes(made.percentages))
        write_file(fresh / "changes.csv", csv_bytes(made.changes))
    return [out / n for n in ("percentages.csv", "changes.csv", "README.txt")], made


def _weights(wave: Wave, survey: Survey, notes: list[str]) -> NationalWeights:
    assert wave.counts is not None
    respondents = cell_respondents(wave.counts)
    sample = None if wave.intake is None else wave.intake.sample
    invited = None if sample is None else invited_cells(sample, wave.survey, wave.counts.layout.organisations)
    weights = national_weights(respondents, invited)
    if invited is None:
        notes.append(f"{wave.year}: no sample with age and sex, so that those who did not answer are not weighted for.")
    labels = survey.cell_labels
    for row, cell, into in weights.merged:
        code = wave.counts.layout.organisations[row]
        notes.append(
            f"{wave.year}, {code}: nobody of {labels[cell]!r} answered; they are counted with {labels[into]!r}."
        )
    return weights


def _areas(organisations: Sequence[Organisation]) -> list[tuple[str, np.ndarray[Any, np.dtype[np.int64]]]]:
    """England and each region with the rows of its organisations, where the list has regions."""
    regions = np.array([o.region for o in organisations], dtype=object)
    out = [(ENGLAND, np.arange(len(organisations)))]
    for region in dict.fromkeys(o.region for o in organisations):
        if region:
            # A region that is called as the whole is must not be taken for it.
            name = region if region != ENGLAND else f"{region} (region)"
            out.append((name, np.flatnonzero(regions == region)))
    return out


PERCENTAGES = {
    "year": pl.Int64, "area": pl.String, "question": pl.String, "text": pl.String, "option": pl.Int64, "label": pl.String,
    "percent": pl.Float64, "lower_95": pl.Float64, "upper_95": pl.Float64, "count": pl.Int64, "base": pl.Int64,
    "left_out": pl.Int64, "effective_base": pl.Float64, "weighted_for_response": pl.Boolean,
}  # fmt: skip
CHANGES = {
    "area": pl.String, "question": pl.String, "option": pl.Int64, "label": pl.String, "year_then": pl.Int64,
    "year_now": pl.Int64, "then": pl.Float64, "now": pl.Float64, "points": pl.Float64, "lower_95": pl.Float64,
    "upper_95": pl.Float64, "z": pl.Float64, "p": pl.Float64,
}  # fmt: skip


def _rows(year: int, area: str, survey: Survey, one: Percentages, weights: NationalWeights) -> list[dict[str, Any]]:
    asked = survey.by_code[one.question]
    labels = {o.code: o.label for o in asked.options}
    return [
        {
            "year": year, "area": area, "question": asked.code, "text": asked.text, "option": code, "label": labels[code],
            "percent": one.percent[i], "lower_95": one.low[i], "upper_95": one.high[i], "count": int(one.count[i]),
            "base": one.base, "left_out": one.left_out, "effective_base": one.effective,
            "weighted_for_response": weights.response,
        }
        for i, code in enumerate(one.options)
    ]  # fmt: skip


def _changes(survey: Survey, found: dict[tuple[str, str], list[tuple[int, Percentages]]]) -> list[dict[str, Any]]:
    """Between each wave and the one before in which the question was asked alike, in percentage points."""
    out = []
    for (area, code), series in found.items():
        asked = survey.by_code[code]
        labels = {o.code: o.label for o in asked.options}
        assert len(counted_options(asked)) == series[0][1].percent.size
        for (then_year, then), (now_year, now) in pairwise(series):
            tested = share_change(
                (now.percent / 100, np.full(now.percent.size, now.effective)),
                (then.percent / 100, np.full(then.percent.size, then.effective)),
            )
            for i, option in enumerate(now.options):
                z, p = float(tested.z[i]), float(tested.p[i])
                out.append(
                    {
                        "area": area, "question": code, "option": option, "label": labels[option], "year_then": then_year,
                        "year_now": now_year, "then": then.percent[i], "now": now.percent[i],
                        "points": tested.difference[i] * 100, "lower_95": tested.low[i] * 100,
                        "upper_95": tested.high[i] * 100, "z": None if np.isnan(z) else z, "p": None if np.isnan(p) else p,
                    }
                )  # fmt: skip
    return out
