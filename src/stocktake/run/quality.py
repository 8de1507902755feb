"""Checking a folder, and benchmarking it with its data-quality report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from stocktake.files import writing
from stocktake.organisations import Organisation
from stocktake.problems import BlockedError, StocktakeError
from stocktake.render.quality import write_quality
from stocktake.run.benchmark import benchmark, results_of_waves
from stocktake.run.core import Run
from stocktake.run.settings import Settings, load_instrument, read_settings
from stocktake.run.waves import finding_sentence, waves_of_folder
from stocktake.survey.engines import Progress
from stocktake.survey.findings import summarise
from stocktake.survey.instrument import Survey
from stocktake.survey.wave import Wave


@dataclass(frozen=True)
class Checked:
    """What a check found: the waves, a summary, the data-quality page, and the findings that block as sentences."""

    survey: Survey
    waves: Sequence[tuple[Wave, tuple[Organisation, ...]]]
    summary: list[dict[str, Any]]
    page: Path
    blocked: list[str]


def check_folder(folder: Path, progress: Progress | None = None, settings: Settings | None = None) -> Checked:
    """Read and check every file of a folder; writes folder/data_quality/."""
    settings = settings or read_settings(folder)
    if settings.workbook is not None:
        raise StocktakeError(f"{folder}: this folder holds a published workbook, which is checked when it is imported.")
    survey = load_instrument(settings, folder)
    waves = waves_of_folder(folder, settings, survey, progress)
    findings = pl.concat([w.findings for w, _ in waves])
    rows_read = [{"year": w.year, "rows": w.rows, "set_aside": w.set_aside} for w, _ in waves]
    page = write_quality(survey, rows_read, findings, folder / "data_quality")
    blocked = [finding_sentence(f) for f in findings.filter(pl.col("blocks")).iter_rows(named=True)]
    return Checked(survey, waves, list(summarise(findings).iter_rows(named=True)), page, blocked)


def benchmark_folder(folder: Path, progress: Progress | None = None) -> tuple[Run, Path | None]:
    """Benchmark a folder, write results/ and data_quality/; raises BlockedError after writing the latter."""
    settings = read_settings(folder)
    if settings.workbook is not None:
        run = benchmark(folder)
        run.write(folder / "results")
        return run, None
    with writing(folder):
        checked = check_folder(folder, progress, settings)
        if checked.blocked:
            raise BlockedError([*checked.blocked, f"See {checked.page}."])
        run = results_of_waves(checked.survey, settings, checked.waves, folder)
        run.write(folder / "results")
    return run, checked.page
