"""trends.yaml: which surveys there are, what compares with what, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field

from stocktake.codes import code_problem, repeated
from stocktake.definitions import Part, Place, Problem, located, read_text, validated
from stocktake.problems import StocktakeError, nearest
from stocktake.survey.instrument import Year
from stocktake.trends import FILE as FILE
from stocktake.trends.sentences import Reference, claim_of, pieces, undeclared_directions


class Break(Part):
    """A redesign: figures of this year and later do not compare with those of the years before."""

    year: Year
    reason: str = Field(min_length=1)


class LineDefinition(Part):
    """Answers that are counted together, by their labels (case does not matter)."""

    code: str
    label: str
    answers: tuple[str, ...] = Field(min_length=1)


class SeriesDefinition(Part):
    """One question through several surveys; a question that no series names is a series of its own survey alone."""

    code: str
    title: str = Field("", description="in place of the wording of the latest survey")
    short: str = Field("", description="what the question is about, in a few words")
    questions: dict[str, str] = Field(min_length=1, description="code of the question by folder of the survey")
    lines: tuple[LineDefinition, ...] = Field((), description="each answer by itself where there are none")
    notes: dict[Year, str] = Field(default_factory=dict, description="what readers of a year must know, as a sentence")


class IndicatorLine(Part):
    """One line of an indicator's chart: a line of a series, under a name that its sentences use."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    series: str
    line: str
    label: str


class Sentence(Part):
    """A sentence whose figures are references, with the claims that must hold for it to be printed."""

    text: str = Field(min_length=1)
    holds: tuple[str, ...] = ()


class Standard(Part):
    """What a guideline asks for, to hold a question against."""

    series: str = Field(description="code of the series that is held against it")
    answer: str = Field(description="code or label of its line, the answer that meets the standard")
    statement: str = Field(min_length=1, description="what is asked for, in your own words")
    source: str = Field(min_length=1)
    address: str = Field(pattern=r"^https?://")
    expected: float = Field(100.0, ge=0, le=100, description="per cent that would meet it in full")
    remark: str = Field("", description="how far the question asks for the same thing, as a sentence")


class Indicator(Part):
    """A page: a question, why it matters, the lines of its chart, and what is said of them."""

    code: str
    title: str = Field(min_length=1, description="as a question")
    why: str = Field(min_length=1)
    lines: tuple[IndicatorLine, ...] = Field(min_length=1, max_length=8)
    sentences: tuple[Sentence, ...] = ()


class Correction(Part):
    """What was changed after publication, and why."""

    date: date
    text: str = Field(min_length=1)
    indicator: str = Field("", description="code of the page; empty for all")


class ShareRules(Part):
    """Which percentages may be printed; see docs/disclosure.md."""

    minimum_base: int = Field(30, ge=1, le=100_000, description="a percentage of fewer people is withheld")
    minimum_count: int = Field(5, ge=1, le=100, description="an answer that fewer people gave is withheld")
    group_rounding: int = Field(10, ge=1, le=1000, description="numbers of people in groups are multiples of this")
    protect_people: float = Field(5, gt=0, description="by how many people a withheld number must remain uncertain")


class TrendSettings(Part):
    """trends.yaml: what belongs to one site of trends; names of files and folders are relative to its own."""

    title: str = Field(min_length=1)
    programme: str = ""
    publisher: str = Field(min_length=1, description="who publishes, for the citation")
    about: tuple[str, ...] = Field((), description="paragraphs about the data, for the page of that name")
    surveys: tuple[str, ...] = Field(min_length=1, description="folders with survey.yaml, the earliest years first")
    breaks: tuple[Break, ...] = ()
    series: tuple[SeriesDefinition, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    standards: tuple[Standard, ...] = ()
    groupings: str | None = Field(None, description="CSV with organisation, grouping and group; else regions and kinds")
    breakdowns: tuple[str, ...] | None = Field(
        None, description="demographics by code; all that are shown unless given"
    )
    pairs: tuple[tuple[str, str], ...] = Field((), description="demographics that are taken two at a time")
    influence: Literal["survey", "question", "none"] = Field(
        "survey", description="whose number gives organisations the same influence: see the method"
    )
    disclosure: ShareRules = ShareRules()
    updated: date
    next_update: str = ""
    address: str = Field("", pattern=r"^(https?://.*)?$", description="where the site will stand, for citations")
    licence: str = Field("", description="on which terms the figures may be used")
    licence_address: str = Field("", pattern=r"^(https?://\S+)?$")
    contact: str = ""
    theme: str | None = None
    notice: str = ""
    corrections: tuple[Correction, ...] = ()


def read_trends(folder: Path) -> TrendSettings:
    """Read trends.yaml of a folder; raises StocktakeError with file, line and field of every problem."""
    path = folder / FILE
    if not path.is_file():
        raise StocktakeError(f"{path}: no such file; `stocktake demo trends` shows what one looks like.")
    return parse_trends(read_text(path), str(path))


def parse_trends(text: str, file: str = FILE) -> TrendSettings:
    """Settings from the text of a trends.yaml; see `read_trends`."""
    found, lines = validated(TrendSettings, text, file, "title, publisher, surveys and updated")
    problems = [*_folder_problems(found), *_code_problems(found), *_indicator_problems(found)]
    if problems:
        raise StocktakeError(located(problems, lines, file))
    return found


def _folder_problems(found: TrendSettings) -> Iterator[Problem]:
    for i, name in enumerate(found.surveys):
        problem = code_problem(name)
        if problem:
            yield ("surveys", i), f"the folder {problem}"
        if name in found.surveys[:i]:
            yield ("surveys", i), f"{name!r} is named twice."
    years = [b.year for b in found.breaks]
    for i, year in enumerate(years):
        if year in years[:i]:
            yield ("breaks", i, "year"), f"two breaks in {year}; expected one."


def _code_problems(found: TrendSettings) -> Iterator[Problem]:
    places: list[tuple[Place, str]] = [
        *((("series", i, "code"), s.code) for i, s in enumerate(found.series)),
        *((("indicators", i, "code"), s.code) for i, s in enumerate(found.indicators)),
    ]
    for place, code in places:
        problem = code_problem(code)
        if problem:
            yield place, problem
    for number, code, earlier in repeated(c for _, c in places):
        yield places[number][0], f"the code {code!r} repeats {earlier!r}; each page needs its own."
    taken: dict[tuple[str, str], str] = {}
    for i, series in enumerate(found.series):
        for survey, question in series.questions.items():
            at: Place = ("series", i, "questions", survey)
            if survey not in found.surveys:
                yield at, f"no survey {survey!r}.{nearest(survey, found.surveys)}"
            other = taken.setdefault((survey, question), series.code)
            if other != series.code:
                yield at, f"{question} of {survey} belongs to the series {other!r} already."
        codes = [line.code for line in series.lines]
        for j, line in enumerate(codes):
            problem = code_problem(line) or (f"{line!r} is used twice." if line in codes[:j] else "")
            if problem:
                yield ("series", i, "lines", j, "code"), problem


def _indicator_problems(found: TrendSettings) -> Iterator[Problem]:
    known = [s.code for s in found.series]
    for i, indicator in enumerate(found.indicators):
        names = [line.name for line in indicator.lines]
        for j, line in enumerate(indicator.lines):
            if line.series not in known:
                expected = nearest(line.series, known)
                yield ("indicators", i, "lines", j, "series"), f"no series {line.series!r}.{expected}"
            if line.name in names[:j]:
                yield ("indicators", i, "lines", j, "name"), f"{line.name!r} is used twice."
        for j, sentence in enumerate(indicator.sentences):
            yield from (
                (("indicators", i, "sentences", j, field), words)
                for field, words in _sentence_problems(sentence, names)
            )
    codes = [i.code for i in found.indicators]
    for i, correction in enumerate(found.corrections):
        if correction.indicator and correction.indicator not in codes:
            yield (
                ("corrections", i, "indicator"),
                f"no indicator {correction.indicator!r}.{nearest(correction.indicator, codes)}",
            )


def _sentence_problems(sentence: Sentence, names: list[str]) -> Iterator[tuple[str, str]]:
    for piece in pieces(sentence.text):
        if isinstance(piece, Reference):
            if piece.problem:
                yield "text", piece.problem
            elif piece.line and piece.line not in names:
                yield "text", f"no line {piece.line!r}.{nearest(piece.line, names)}"
    claims = [claim_of(words) for words in sentence.holds]
    for claim in claims:
        if isinstance(claim, str):
            yield "holds", claim
        else:
            for name in claim.names:
                if name not in names:
                    yield "holds", f"no line {name!r}.{nearest(name, names)}"
    yield from (("text", words) for words in undeclared_directions(sentence.text, bool(claims)))
