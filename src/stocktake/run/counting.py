"""Counting where the data are, and adding where the benchmark is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from stocktake.codes import file_name
from stocktake.files import writing
from stocktake.problems import BlockedError, StocktakeError
from stocktake.run.provenance import digest
from stocktake.run.settings import WaveFiles, load_instrument, read_settings
from stocktake.run.waves import finding_sentence, waves_of_folder
from stocktake.survey.coarsening import coarsened
from stocktake.survey.counted import CountedWave, combine
from stocktake.survey.counts import Counts
from stocktake.survey.engines import Progress
from stocktake.survey.wave import counted_of


def count_folder(
    folder: Path,
    out: Path | None = None,
    *,
    minimum_cell: int | None = None,
    reference: Path | None = None,
    progress: Progress | None = None,
) -> list[tuple[Path, CountedWave]]:
    """Count every wave of a folder and write a file for each to `out`, folder/counts/ unless given.

    With `minimum_cell` cells of fewer respondents are merged; `reference` is a counts file whose mix of people says what that
    does to scores. Raises BlockedError where findings block the run, and StocktakeError for what cannot be read.
    """
    settings = read_settings(folder)
    if settings.workbook is not None:
        raise StocktakeError(f"{folder}: this folder holds a published workbook, in which nobody can be counted.")
    if minimum_cell is not None and minimum_cell < 2:
        raise StocktakeError(f"cells of fewer than {minimum_cell} people; expected a number of at least 2.")
    if reference is not None and minimum_cell is None:
        raise StocktakeError("a reference says what merging small cells does; say below which number they are merged.")
    survey = load_instrument(settings, folder)
    mix = None if reference is None else CountedWave.load(reference)
    files = {w.year: w for w in settings.waves}
    made = []
    waves = waves_of_folder(folder, settings, survey, progress, pairs=True)
    blocked = pl.concat([w.findings for w, _ in waves]).filter(pl.col("blocks"))
    if blocked.height:
        raise BlockedError([finding_sentence(f) for f in blocked.iter_rows(named=True)])
    for wave, _ in waves:
        assert wave.counts is not None
        if wave.intake is None:
            raise StocktakeError(f"{folder}: the wave of {wave.year} is counted already.")
        part = counted_of(wave, survey, _sources(folder, files[wave.year], wave.counts))
        if minimum_cell is not None:
            part = coarsened(part, wave.survey, minimum_cell, mix)
        made.append((wave.year, part))
    target = folder / "counts" if out is None else out
    with writing(folder):
        paths = [target / file_name(f"{survey.code}-{year}", ".counts") for year, _ in made]
        for path, (_, part) in zip(paths, made, strict=True):
            part.save(path)
    return [(path, part) for path, (_, part) in zip(paths, made, strict=True)]


def _sources(folder: Path, files: WaveFiles, counts: Counts) -> list[str]:
    """The SHA-256 of what was counted: of each file, and for a database or an address of the counts themselves."""
    names = [files.file(role) for role in ("responses", "sample")]
    out = [digest(folder / name) for name in names if name is not None]
    if names[0] is None:
        content = hashlib.sha256(counts.respondents.tobytes())
        for table in counts.answers:
            content.update(table.tobytes())
        out.append(content.hexdigest())
    return out


def combine_files(out: Path, files: Sequence[Path]) -> CountedWave:
    """Add counts files and write their sum to `out`.

    Raises StocktakeError, with everything that is wrong, where they do not belong together; see `combine`.
    """
    parts: list[tuple[str, CountedWave]] = []
    problems: list[str] = []
    for path in files:
        try:
            parts.append((path.name, CountedWave.load(path)))
        except StocktakeError as error:
            problems += error.problems
    if problems:
        raise StocktakeError(problems)
    total = combine(parts)
    total.save(out)
    # From the file that there is now: one of the parts may have been under its name.
    return CountedWave.load(out)
