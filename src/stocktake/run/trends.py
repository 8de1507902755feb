"""A folder of trends: its surveys read and counted, the results, and what of them is public."""

from __future__ import annotations

import csv
import hashlib
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from stocktake.definitions import read_text
from stocktake.disclosure.precision import public_shares
from stocktake.disclosure.small_shares import Follows, protected
from stocktake.files import sha256, writing
from stocktake.organisations import LARGEST_LIST, Organisation
from stocktake.problems import BlockedError, StocktakeError, nearest
from stocktake.results import Results
from stocktake.results.schemas import frame
from stocktake.results.store import AGAIN, read_results, write_results
from stocktake.results.trend_schemas import TREND_SCHEMAS
from stocktake.run.provenance import VERSIONS, inputs_of, instrument_digest
from stocktake.run.settings import Settings, load_instrument, read_settings
from stocktake.run.waves import finding_sentence, waves_of_folder
from stocktake.survey.breakdowns import Breakdown
from stocktake.survey.instrument import Survey
from stocktake.survey.percentages import invited_cells
from stocktake.survey.wave import Wave
from stocktake.trends.definition import FILE, TrendSettings, read_trends
from stocktake.trends.facts import Facts, sentence_rows
from stocktake.trends.series import Asked, Series, all_series
from stocktake.trends.tables import (
    ShareBlock,
    YearOf,
    blocks_of_year,
    change_rows,
    course_rows,
    difference_rows,
    series_rows,
    share_rows,
    weights_of,
    with_q_values,
)

if TYPE_CHECKING:
    from stocktake.render.theme import Theme

Counted = list[tuple[str, Survey, list[tuple[Wave, tuple[Organisation, ...]]]]]


@dataclass(frozen=True)
class TrendRun:
    """A folder of trends with its results; `public` is what every page and file is made from."""

    folder: Path
    settings: TrendSettings
    results: Results

    @cached_property
    def public(self) -> Results:
        return public_shares(self.results, self.settings.disclosure.group_rounding)

    @cached_property
    def facts(self) -> Facts:
        """What pages may say: the public figures, by what they are of."""
        return Facts(self.settings, self.public.tables)

    @cached_property
    def theme(self) -> Theme:
        from stocktake.render.theme import Theme, load_theme

        return Theme() if self.settings.theme is None else load_theme(self.folder / self.settings.theme)

    @property
    def untrue(self) -> list[str]:
        """Every sentence that is not printed because a claim of it does not hold, with the reason."""
        rows = self.results.tables["sentences"].filter(~pl.col("printed"))
        return [
            f"{FILE}, indicator {r['indicator']}, sentence {r['position'] + 1} is not printed: {r['problem']}"
            for r in rows.iter_rows(named=True)
        ]


def make_trend_results(folder: Path, progress: Callable[[int], None] | None = None) -> TrendRun:
    """Compute the results of a folder of trends into its results/.

    Raises StocktakeError for what cannot be read or contradicts itself, and where a withheld figure could be worked out
    whatever is withheld beside it; BlockedError where findings block a survey.
    """
    settings = read_trends(folder)
    with writing(folder):
        results = trend_results(folder, settings, progress)
        write_results(results, folder / "results")
    return TrendRun(folder, settings, results)


def open_trends(folder: Path) -> TrendRun:
    """Trends whose results were written before; raises StocktakeError where they are not of what is there now."""
    settings = read_trends(folder)
    results = read_results(folder / "results", "trends")
    then, now = results.provenance, provenance(folder, settings)
    words = {
        "definition_sha256": FILE,
        "surveys": "a survey's files, settings or instrument",
        "groupings": "the groupings",
    }
    changed = [what for key, what in words.items() if then.get(key) != now[key]]
    if changed:
        raise StocktakeError(
            f"{folder / 'results'}: made from other inputs than are there now ({'; '.join(changed)}); {AGAIN}."
        )
    return TrendRun(folder, settings, results)


def provenance(folder: Path, settings: TrendSettings) -> dict[str, Any]:
    """What results of trends are made from: the definition, each survey's inputs by role, and versions."""
    surveys = {}
    for name in settings.surveys:
        own = _own_settings(folder, name)
        survey = load_instrument(own, folder / name)
        surveys[name] = {"instrument_sha256": instrument_digest(survey), "inputs": inputs_of(folder / name, own)}
    grouped = settings.groupings
    return {
        "definition_sha256": hashlib.sha256(settings.model_dump_json().encode()).hexdigest(),
        "surveys": surveys,
        "groupings": None if grouped is None else sha256(folder / grouped),
        "versions": {name: version(name) for name in VERSIONS},
        "python": platform.python_version(),
    }


def _own_settings(folder: Path, name: str) -> Settings:
    own = read_settings(folder / name)
    if own.workbook is not None:
        raise StocktakeError(f"{FILE}, surveys: {name} is a published workbook, which has no answers to count.")
    return own


@dataclass(frozen=True)
class TrendBlocks:
    """What the files of a folder of trends hold, counted and weighted, before anything is withheld."""

    series: tuple[Series, ...]
    years: list[YearOf]
    blocks: list[ShareBlock]
    notes: list[dict[str, Any]]


def read_blocks(folder: Path, settings: TrendSettings, progress: Callable[[int], None] | None = None) -> TrendBlocks:
    """Read and count every survey of a folder of trends; see `make_trend_results` for what it raises."""
    counted = _counted(folder, settings, progress)
    asked = [
        Asked(name, survey, {w.year: w.asked for w, _ in sorted(waves, key=lambda pair: pair[0].year)})
        for name, survey, waves in counted
    ]
    series = all_series(settings, asked)
    notes: list[dict[str, Any]] = []
    years = _years(folder, settings, counted, notes)
    chosen = _breakdowns(settings, counted)
    blocks = [b for y in years for b in blocks_of_year(y, series, *chosen, settings.influence)]
    return TrendBlocks(series, years, blocks, notes)


def trend_results(folder: Path, settings: TrendSettings, progress: Callable[[int], None] | None = None) -> Results:
    """The tables of a folder of trends."""
    read = read_blocks(folder, settings, progress)
    series, years, blocks, notes = read.series, read.years, read.blocks, read.notes
    hidden, left = protected(blocks, settings.disclosure)
    _refuse(blocks, left)
    by_year = {y.year: y for y in years}
    latest = {s.code: s.points[-1].year for s in series}
    shares, differences = [], []
    for block, what in zip(blocks, hidden, strict=True):
        last = block.year == latest[block.series.code]
        shares += list(share_rows(block, what))
        if last:
            differences += difference_rows(block, what, by_year[block.year].wave.survey)
    of_code = {s.code: s for s in series}
    tables = {
        "series": _frame("series", list(series_rows(series))),
        "shares": _frame("shares", shares),
        "breakdowns": _frame("breakdowns", _breakdown_rows(blocks)),
        "share_changes": _frame("share_changes", list(change_rows(of_code, shares))),
        "courses": _frame("courses", list(course_rows(of_code, shares))),
        "share_differences": _frame("share_differences", with_q_values(differences)),
        "trend_notes": _frame("trend_notes", notes),
        "sentences": _frame("sentences", []),
    }
    made = Results(tables, provenance(folder, settings), "trends")
    facts = Facts(settings, public_shares(made, settings.disclosure.group_rounding).tables)
    sentences = _frame("sentences", list(sentence_rows(facts)))
    return Results({**tables, "sentences": sentences}, made.provenance, "trends")


def _breakdown_rows(blocks: Sequence[ShareBlock]) -> list[dict[str, Any]]:
    """Each breakdown with its title, the latest survey's words for it."""
    titles = {b.breakdown.name: b.breakdown.title for b in blocks}
    return [{"breakdown": name, "title": title or name[:1].upper() + name[1:]} for name, title in titles.items()]


def _frame(table: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return frame(table, {name: [row.get(name) for row in rows] for name in TREND_SCHEMAS[table]})


def _counted(folder: Path, settings: TrendSettings, progress: Callable[[int], None] | None) -> Counted:
    """Every survey of the collection with its waves; raises with what blocks any of them."""
    out: Counted = []
    problems: list[str] = []
    blocked: list[str] = []
    for name in settings.surveys:
        try:
            own = _own_settings(folder, name)
            survey = load_instrument(own, folder / name)
            waves = waves_of_folder(folder / name, own, survey)
        except StocktakeError as error:
            problems += [p if p.startswith(str(folder)) else f"{name}: {p}" for p in error.problems]
            continue
        for wave, _ in waves:
            bad = wave.findings.filter(pl.col("blocks"))
            blocked += [f"{name}: {finding_sentence(f)}" for f in bad.iter_rows(named=True)]
        out.append((name, survey, waves))
        if progress is not None:
            progress(1)
    if problems:
        raise StocktakeError(problems)
    if blocked:
        raise BlockedError(blocked)
    return out


def _years(folder: Path, settings: TrendSettings, counted: Counted, notes: list[dict[str, Any]]) -> list[YearOf]:
    given = _groupings(folder, settings)
    taken = {d.code for _, survey, _ in counted for d in survey.demographics}
    clash = sorted(taken & set(GROUPINGS if given is None else given))
    if clash:
        where = settings.groupings or "organisations"
        raise StocktakeError(
            [f"{where}: the grouping {name!r} is called as a demographic is; rename one." for name in clash]
        )
    out = []
    for name, survey, waves in counted:
        for wave, organisations in sorted(waves, key=lambda pair: pair[0].year):
            assert wave.counts is not None
            sample = None if wave.intake is None else wave.intake.sample
            codes = wave.counts.layout.organisations
            weights = weights_of(wave, None if sample is None else invited_cells(sample, wave.survey, codes))
            labels = survey.cell_labels
            if not weights.response:
                text = "There is no sample with age and sex, so that those who did not answer are not weighted for."
                notes.append({"year": wave.year, "organisation": "", "note": text})
            for row, cell, into in weights.merged:
                text = f"Nobody of {labels[cell]!r} answered; they are counted with {labels[into]!r}."
                notes.append({"year": wave.year, "organisation": codes[row], "note": text})
            groups = tuple(_organisation_groups(organisations, given))
            out.append(YearOf(wave.year, name, wave, weights, groups))
    return sorted(out, key=lambda y: y.year)


# What readers call the groups that a list of organisations has by itself.
GROUPINGS = {"organisation_region": "Region", "organisation_kind": "Kind of organisation"}


def _organisation_groups(
    organisations: Sequence[Organisation], given: Mapping[str, Mapping[str, str]] | None
) -> list[Breakdown]:
    """Groups of organisations: those of the settings' file, else regions and kinds where the list has several."""
    if given is None:
        given = {
            "organisation_region": {o.code: o.region for o in organisations},
            "organisation_kind": {o.code: o.kind for o in organisations},
        }
    out = []
    for name, groups in given.items():
        own = [groups.get(o.code, "") for o in organisations]
        # A file's groups stand in its order.
        labels = list(dict.fromkeys(g for g in groups.values() if g in own))
        labels = sorted(labels) if name in GROUPINGS else labels
        if len(labels) > 1:
            place = {label: i for i, label in enumerate(labels)}
            members = tuple(place.get(g, -1) for g in own)
            out.append(Breakdown(name, tuple(labels), organisations=members, title=GROUPINGS.get(name, "")))
    return out


def _groupings(folder: Path, settings: TrendSettings) -> dict[str, dict[str, str]] | None:
    """The groups of organisations that a file gives: grouping, then organisation, then group."""
    if settings.groupings is None:
        return None
    path = folder / settings.groupings
    if not path.is_file():
        raise StocktakeError(f"{path}: no such file of groupings.")
    try:
        rows = list(csv.DictReader(read_text(path, LARGEST_LIST).splitlines()))
    except csv.Error as error:
        raise StocktakeError(f"{path.name}: cannot be read as CSV ({error}).") from None
    columns = ("organisation", "grouping", "group")
    missing = [c for c in columns if not rows or c not in rows[0]]
    if missing:
        raise StocktakeError([f"{path.name}, row 1: column {c!r} is missing." for c in missing])
    out: dict[str, dict[str, str]] = {}
    problems = []
    reserved = {"all", "everybody"}
    for number, row in enumerate(rows, start=2):
        organisation, grouping, group = ((row[c] or "").strip() for c in columns)
        if not (organisation and grouping and group):
            problems.append(f"{path.name}, row {number}: a cell is empty; expected organisation, grouping and group.")
        elif grouping.casefold() in reserved:
            problems.append(
                f"{path.name}, row {number}, column grouping: {grouping!r} is a reserved name; choose another."
            )
        elif out.setdefault(grouping, {}).setdefault(organisation, group) != group:
            problems.append(f"{path.name}, row {number}: {organisation} has another group of {grouping!r} already.")
    if problems:
        raise StocktakeError(problems)
    return out


def _breakdowns(settings: TrendSettings, counted: Counted) -> tuple[list[str], list[tuple[str, str]]]:
    """The demographics to break figures down by; raises StocktakeError for one that no survey has."""
    known = {d.code: d for _, survey, _ in counted for d in survey.demographics}
    wanted = settings.breakdowns
    chosen = [c for c, d in known.items() if d.show] if wanted is None else list(wanted)
    named = [*chosen, *(v for pair in settings.pairs for v in pair)]
    problems = [
        f"{FILE}: no survey has the demographic {c!r}.{nearest(c, list(known))}"
        for c in dict.fromkeys(named)
        if c not in known
    ]
    problems += [f"{FILE}, pairs: {one!r} is taken with itself." for one, other in settings.pairs if one == other]
    if problems:
        raise StocktakeError(problems)
    # A pair is held against each of its two alone.
    return list(dict.fromkeys(named)), list(settings.pairs)


def _refuse(blocks: Sequence[ShareBlock], left: Sequence[Follows]) -> None:
    """Refuse results of which a withheld number follows."""
    if left:
        places = dict.fromkeys(
            f"{blocks[f.block].series.code}, {blocks[f.block].year}, {blocks[f.block].breakdown.name}" for f in left
        )
        raise StocktakeError(
            f"{len(left)} small numbers could be worked out whatever is withheld beside them ({'; '.join(places)})."
        )
