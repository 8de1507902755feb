"""The waves of a survey: their files, or tables in memory, read, checked and counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from stocktake.organisations import Organisation, check_organisations, read_organisations
from stocktake.problems import StocktakeError, nearest
from stocktake.run.settings import DatabaseQuery, Settings
from stocktake.survey.counted import CountedWave
from stocktake.survey.databases import Query
from stocktake.survey.engines import Engine, Progress
from stocktake.survey.instrument import Survey
from stocktake.survey.tables import Table, is_address, open_table
from stocktake.survey.wave import Wave, read_wave, wave_of_counts

Organisations = tuple[Organisation, ...]


def finding_sentence(finding: Mapping[str, Any]) -> str:
    """A finding as one clear sentence: file, row, column, value, what was expected, what was done."""
    where = [finding["file"]]
    if finding["row"]:
        where.append(f"row {finding['row']}")
    if finding["column"]:
        where.append(f"column {finding['column']}")
    value = f" found {finding['value']!r}," if finding["value"] else ""
    expected = str(finding["expected"]).rstrip(".")
    return f"{', '.join(where)}: {finding['check']};{value} expected {expected}{'' if expected.endswith('?') else '.'}"


def waves_of_folder(
    folder: Path,
    settings: Settings,
    survey: Survey,
    progress: Progress | None = None,
    *,
    pairs: bool | None = None,
) -> list[tuple[Wave, Organisations]]:
    """Read, check and count every wave of a folder, this year's first; raises StocktakeError for unreadable files.

    A wave that was counted elsewhere is taken as it is. `pairs` forces answer pairs to be counted, or not.
    """
    if not settings.waves:
        raise StocktakeError(f"{folder / 'survey.yaml'}: no waves; expected at least year {survey.year}.")
    years = [w.year for w in settings.waves]
    for year in sorted({y for y in years if years.count(y) > 1}):
        raise StocktakeError(f"{folder / 'survey.yaml'}: {years.count(year)} waves of {year}; expected one.")
    if max(years) > survey.year:
        raise StocktakeError(
            f"{folder / 'survey.yaml'}: a wave of {max(years)}, after the instrument's year {survey.year}."
        )
    if survey.year not in years:
        raise StocktakeError(f"{folder / 'survey.yaml'}: no wave of {survey.year}, the instrument's year.")
    current = read_organisations(folder / settings.organisations)
    _check_codes(folder, settings, [o.code for o in current])
    jobs = []
    problems: list[str] = []
    for files in sorted(settings.waves, key=lambda w: -w.year):
        own: Organisations = current
        opened: dict[str, Any] = {}
        for role in ("organisations", "responses", "sample", "counts"):
            name = getattr(files, role)
            try:
                if name is not None and role == "organisations":
                    own = read_organisations(folder / name)
                elif name is not None:
                    opened[role] = CountedWave.load(folder / name) if role == "counts" else open_source(folder, name)
            except StocktakeError as error:
                problems.extend(error.problems)
        jobs.append((files, own, opened))
    if problems:
        raise StocktakeError(problems)
    _check_predecessors(folder, settings, {files.year: [o.code for o in own] for files, own, _ in jobs})
    waves = []
    for files, own, opened in jobs:
        codes = tuple(o.code for o in own)
        if files.counts is not None:
            wave = wave_of_counts(survey, files.year, codes, opened["counts"], files.counts)
        else:
            wave = _wave(
                survey,
                files.year,
                own,
                opened["responses"],
                opened.get("sample"),
                files.expected_sample,
                progress,
                settings.show_values,
                pairs,
                settings.engine,
            )
        waves.append((wave, own))
    return waves


def open_source(folder: Path, given: str | DatabaseQuery) -> Table:
    """What survey.yaml names as responses or sample: a file or folder of its own, an address, or a query."""
    if isinstance(given, DatabaseQuery):
        return open_table(Query(given.database, given.query, folder))
    return open_table(given if is_address(given) else folder / given, given)


def _check_codes(folder: Path, settings: Settings, codes: list[str]) -> None:
    """Contacts and reasons must belong to organisations of the list; a misspelt code would be ignored without a word."""
    named = [("contacts", c) for c in settings.contacts] + [
        ("not_comparable", x.organisation) for x in settings.not_comparable
    ]
    unknown = [(field, code) for field, code in named if code not in codes]
    if unknown:
        raise StocktakeError(
            [
                f"{folder / 'survey.yaml'}, {field}: no organisation {code!r}.{nearest(code, codes)}"
                for field, code in unknown
            ]
        )


def _check_predecessors(folder: Path, settings: Settings, codes: Mapping[int, list[str]]) -> None:
    """Predecessors must be in the list of the year in which they answered; a misspelt code would never be shown."""
    unknown = [
        (x.year, code)
        for x in settings.not_comparable
        for code in x.predecessors
        if x.year in codes and code not in codes[x.year]
    ]
    if unknown:
        raise StocktakeError(
            [
                f"{folder / 'survey.yaml'}, not_comparable: no organisation {code!r} in {year}.{nearest(code, codes[year])}"
                for year, code in unknown
            ]
        )


def _wave(
    survey: Survey,
    year: int,
    organisations: Organisations,
    responses: Table,
    sample: Table | None,
    expected_sample: int | None,
    progress: Progress | None,
    show_values: bool = False,
    pairs: bool | None = None,
    engine: Engine = "local",
) -> Wave:
    codes = tuple(o.code for o in organisations)
    return read_wave(
        survey,
        year,
        codes,
        responses,
        sample,
        survey.method,
        expected_sample=expected_sample,
        progress=progress,
        show_values=show_values,
        pairs=pairs,
        engine=engine,
    )


def waves_in_memory(
    survey: Survey,
    responses: Any,
    sample: Any,
    organisations: Any,
    earlier: Mapping[int, Mapping[str, Any]],
    progress: Progress | None,
) -> list[tuple[Wave, Organisations]]:
    """Read, check and count every wave from tables in memory, this year's first; see `benchmark`."""
    jobs = [(survey.year, {"responses": responses, "sample": sample, "organisations": organisations})]
    jobs += [(year, dict(tables)) for year, tables in sorted(earlier.items(), reverse=True)]
    waves = []
    for year, tables in jobs:
        if tables.get("responses") is None:
            raise StocktakeError(
                f"earlier, {year}: no responses; expected a mapping with responses, and sample if there is one."
            )
        answers = open_table(tables["responses"], f"responses {year}")
        invited = open_table(tables["sample"], f"sample {year}") if tables.get("sample") is not None else None
        own = _organisations(tables.get("organisations", organisations), answers, survey)
        waves.append((_wave(survey, year, own, answers, invited, None, progress), own))
    return waves


def _organisations(given: Any, responses: Table, survey: Survey) -> Organisations:
    if isinstance(given, (str, Path)):
        return read_organisations(Path(given))
    if isinstance(given, Mapping):
        rows = [(str(c), str(n), "", "") for c, n in given.items()]
    elif given is not None:
        table = open_table(given, "organisations").frame()
        rows = [(str(r["code"]), str(r["name"]), "", "") for r in table.iter_rows(named=True)]
    else:
        column = survey.columns.organisation
        if column not in responses.columns:
            near = nearest(column, responses.columns)
            raise StocktakeError(f"{responses.name}: column {column!r} is missing.{near}")
        found = pl.concat([f.unique() for f in responses.batches((column,))])[column].cast(pl.String)
        rows = [(c, c, "", "") for c in sorted(found.drop_nulls().unique())]
    return check_organisations(rows, "organisations")
