"""One wave of a survey: its files read, checked and counted, and everything found on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from stocktake.problems import StocktakeError, nearest
from stocktake.survey.cleaning import clean
from stocktake.survey.counted import CountedWave, asked_digest, counting_rules, misfits
from stocktake.survey.counts import (
    Batch,
    Counts,
    Ints,
    Layout,
    PairBlock,
    PairTables,
    held,
    organisation_blocks,
    pairs_fit,
    recut,
    wants_pairs,
)
from stocktake.survey.engines import Engine, Progress, Work, count_here, sum_here
from stocktake.survey.fieldwork import Fieldwork, completed_by_group
from stocktake.survey.findings import Findings
from stocktake.survey.instrument import Method, Survey
from stocktake.survey.responses import NOBODY, Cleaned, Intake, Raw
from stocktake.survey.sample import Sample, read_sample
from stocktake.survey.tables import Table
from stocktake.survey.wave_checks import (
    ACROSS_ORGANISATIONS,
    find_across_organisations,
    find_outcomes,
    find_sample_sizes,
    find_wrong_codes,
)

# Respondents of a batch where fractions are added.
CUT_ROWS = 262_144
# Batches of a survey this small are kept rather than read a second time.
KEEP_ROWS = 2_000_000


@dataclass(frozen=True)
class Wave:
    """One wave, counted. `counts` is None where a finding blocks.

    `asked` are the codes of the questions that the wave's file has; `rows` and `set_aside` count its rows. `kept` are the
    respondents of a survey small enough; of others `intake` reads them again, on the `engine` that counted them.
    """

    survey: Survey
    year: int
    counts: Counts | None
    fieldwork: Fieldwork | None
    findings: pl.DataFrame
    asked: frozenset[str]
    rows: int
    set_aside: int
    intake: Intake | None
    kept: tuple[Batch, ...] | None
    engine: Engine = "local"

    @property
    def blocked(self) -> bool:
        return bool(self.findings["blocks"].any())

    def batches(self) -> Iterator[Batch]:
        """The wave's cleaned respondents once more, so many at a time: fractions that are added do not add in any order."""
        return recut((piece() for piece in self._again()), CUT_ROWS)

    def _again(self) -> Iterable[Work]:
        """Calls that give the wave's cleaned respondents once more, a batch each."""
        if self.kept is not None:
            return [partial(held, batch) for batch in self.kept]
        if self.intake is None:
            raise StocktakeError(
                f"{self.year} was counted elsewhere, and its respondents are not here: what asks for them again, such as "
                "percentages by group, can be made only where they are."
            )
        intake = self.intake
        return (partial(_cleaned, intake, raw) for raw in intake.raw())

    def second_pass(self, of: Callable[[Batch], Ints]) -> Ints:
        """The sum of a function of batches over the wave's respondents, where they were counted."""
        if self.engine == "spark" and self.intake is not None:
            from stocktake.survey.spark import sum_on_spark

            return sum_on_spark(self.intake, of)
        return sum_here(self._again(), of)

    def with_pairs(self) -> Counts:
        """The counts with their answer pairs, counted for so many organisations at a time as fit in memory when asked for."""
        assert self.counts is not None
        if self.counts.pairs is not None:
            return self.counts
        layout = self.counts.layout
        blocks = [PairBlock(own, partial(self._pairs, own)) for own in organisation_blocks(layout)]
        return replace(self.counts, pairs=tuple(blocks))

    def _pairs(self, own: Ints) -> PairTables:
        """The answer pairs of organisations that follow one another."""
        assert self.counts is not None
        layout = self.counts.layout
        few = replace(layout, organisations=tuple(layout.organisations[o] for o in own))
        work = (partial(_of_organisations, piece, own, layout.strata) for piece in self._again())
        pairs = count_here(work, few, pairs=True).pairs
        assert pairs is not None
        return pairs[0].load()


def _cleaned(intake: Intake, raw: Raw) -> Batch:
    return clean(intake, raw).batch


def _of_organisations(piece: Work, own: Ints, strata: int) -> Batch:
    """The respondents of a batch who are of organisations that follow one another, counted from the first of these."""
    batch = piece()
    key = batch.key - int(own[0]) * strata
    there = np.flatnonzero((key >= 0) & (key < own.size * strata))
    return Batch(key[there], tuple(a[there] for a in batch.answers))


def as_of(survey: Survey, year: int) -> tuple[Survey, dict[str, str], tuple[str, ...]]:
    """The instrument as an earlier wave knows it: its year, the codes used then, and which questions compare."""
    if year == survey.year:
        return survey, {}, tuple(q.code for q in survey.questions)
    comparable = {q.code: q.comparable[year] for q in survey.scored if year in q.comparable}
    # Dates of the sampling period are this year's; an earlier wave's own are not known here.
    open_dates = survey.eligibility.model_copy(update={"contact_from": None, "contact_to": None})
    then = survey.model_copy(update={"year": year, "eligibility": open_dates})
    renamed = {q.code: q.comparable.get(year, f"{q.code} ({survey.year})") for q in survey.questions}
    for question in survey.questions:
        if question.section is None and year not in question.comparable:
            renamed[question.code] = question.code
    return then, renamed, tuple(comparable)


def read_wave(
    survey: Survey,
    year: int,
    organisations: tuple[str, ...],
    responses: Table,
    sample: Table | None,
    method: Method,
    *,
    expected_sample: int | None = None,
    pairs: bool | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    show_values: bool = False,
    engine: Engine = "local",
) -> Wave:
    """Read, check and count one wave; whatever is wrong is in its findings.

    `pairs` forces answer pairs to be counted in the same pass (or not), unless they are too many for memory; by default
    the memory guard decides. `engine` says where the respondents are counted. With `show_values` findings repeat what the
    files hold, which is for one's own machine alone.
    """
    then, renamed, required = as_of(survey, year)
    findings = Findings(year, show_values)
    checked = read_sample(sample, then, organisations, findings) if sample is not None else None
    layout = Layout.of(then, organisations)
    intake = Intake(then, method, layout, responses, checked, renamed, show_values)
    intake.check_columns(findings, required)
    if responses.rows == 0:
        findings.add("no rows", responses.name, [0], expected="one row a respondent", blocks=True)
    if findings.blocked:
        return Wave(then, year, None, None, findings.table(), intake.asked, 0, 0, intake, None)
    return _count(then, year, intake, checked, findings, expected_sample, pairs, workers, progress, engine)


def _count(
    survey: Survey,
    year: int,
    intake: Intake,
    sample: Sample | None,
    findings: Findings,
    expected_sample: int | None,
    pairs: bool | None,
    workers: int | None,
    progress: Progress | None,
    engine: Engine,
) -> Wave:
    done: list[tuple[int, Cleaned]] = []
    small = intake.table.rows is None or intake.table.rows <= KEEP_ROWS
    keep: list[tuple[int, Batch]] = []

    def one(raw: Raw) -> Batch:
        cleaned = clean(intake, raw)
        done.append((raw.number, _without_answers(cleaned)))
        if small:
            keep.append((raw.number, cleaned.batch))
        return cleaned.batch

    wanted = wants_pairs(intake.layout, intake.table.rows) if pairs is None else pairs
    chosen = wanted and pairs_fit(intake.layout)
    if engine == "spark":
        from stocktake.survey.spark import count_on_spark

        small = False
        counts, done = count_on_spark(intake, pairs=chosen, progress=progress)
    else:
        work = (partial(one, raw) for raw in intake.raw())
        counts = count_here(work, intake.layout, pairs=chosen, workers=workers, progress=progress)
    done.sort(key=lambda d: d[0])
    keep.sort(key=lambda d: d[0])
    for _, cleaned in done:
        findings.frames.extend(cleaned.findings.frames)
    rows = sum(c.rows for _, c in done)
    aside = sum(c.set_aside for _, c in done)
    if rows == 0:
        findings.add("no rows", intake.table.name, [0], expected="one row a respondent", blocks=True)
    if rows and aside / rows > intake.method.maximum_rejected:
        findings.add(
            "too many rows set aside",
            intake.table.name,
            [0],
            facts=[f"{aside} of {rows}"],
            expected=f"at most {intake.method.maximum_rejected:.0%} of the rows",
            blocks=True,
        )
    find_wrong_codes(findings, intake, rows)
    if sample is not None:
        find_outcomes(intake.method.maximum_rejected, sample, [c.respondents for _, c in done], survey, findings)
        if expected_sample is not None:
            find_sample_sizes(sample, intake, expected_sample, findings)
    completed = completed_by_group(counts)
    unknown = np.full_like(completed, -1)
    fieldwork = Fieldwork(
        (None, *intake.layout.groups),
        unknown if sample is None else sample.invited,
        np.zeros_like(completed) if sample is None else sample.undeliverable,
        np.zeros_like(completed) if sample is None else sample.died,
        completed,
    )
    find_across_organisations(counts, fieldwork, survey, intake.method, intake.table.name, findings)
    batches = tuple(b for _, b in keep) if small else None
    table = findings.table()
    return Wave(survey, year, counts, fieldwork, table, intake.asked, rows, aside, intake, batches, engine)


def wave_of_counts(survey: Survey, year: int, organisations: tuple[str, ...], part: CountedWave, file: str) -> Wave:
    """A wave from counts that were made elsewhere.

    Raises StocktakeError, with everything that is wrong, for counts of another instrument, other rules or another year,
    and for organisations that are not in the list.
    """
    problems = list(misfits(file, part, survey, year))
    known = set(organisations)
    problems += [
        f"{file}: organisation {code!r} is not in the list of organisations.{nearest(code, organisations)}"
        for code in part.present()
        if code not in known
    ]
    if problems:
        raise StocktakeError(problems)
    then, _, _ = as_of(survey, year)
    placed = part.for_organisations(organisations)
    findings = Findings(year)
    findings.take(placed.findings)
    made = placed.coarsened
    if made is not None:
        findings.add(
            "small cells merged",
            file,
            [0],
            ", ".join(survey.cells),
            expected=f"cells of at least {made.minimum} respondents",
            facts=[
                f"{made.people} people of {made.cells} cells; no score of a question moves by more than {made.largest:.2f} ({made.reference})"
            ],
        )
    find_across_organisations(placed.counts, placed.fieldwork, then, survey.method, file, findings)
    return Wave(
        then,
        year,
        placed.counts,
        placed.fieldwork,
        findings.table(),
        placed.asked,
        placed.rows,
        placed.set_aside,
        None,
        None,
    )


def counted_of(wave: Wave, survey: Survey, sources: Iterable[str]) -> CountedWave:
    """A wave's counts as they may travel, with pairs; `sources` are the SHA-256 of its files of respondents."""
    assert wave.fieldwork is not None
    return CountedWave(
        survey.code,
        asked_digest(survey),
        counting_rules(survey.method),
        wave.year,
        tuple(sources),
        wave.asked,
        wave.rows,
        wave.set_aside,
        wave.with_pairs(),
        wave.fieldwork,
        wave.findings.filter(~pl.col("check").is_in(ACROSS_ORGANISATIONS)),
    )


def _without_answers(cleaned: Cleaned) -> Cleaned:
    # The respondents' answers must not be held for longer than their batch.
    return replace(cleaned, batch=NOBODY)
