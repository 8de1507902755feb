"""Series: one question through several years and surveys, and which of its years compare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from stocktake.problems import StocktakeError, nearest
from stocktake.survey.instrument import Question, Survey
from stocktake.survey.percentages import counted_options
from stocktake.trends.definition import Break, SeriesDefinition, TrendSettings


@dataclass(frozen=True)
class Line:
    """Answers that are counted together, and their positions among the options by survey (from 1)."""

    code: str
    label: str
    options: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Point:
    """One year of a series: its survey's folder, the question then, and whether it compares with the year before.

    `segment` numbers the stretches of years that compare with one another, from 0; `reason` says why a stretch begins.
    """

    year: int
    survey: str
    question: str
    text: str
    segment: int
    reason: str
    note: str


@dataclass(frozen=True)
class Series:
    """One question through the years, with the lines that are drawn of it."""

    code: str
    title: str
    short: str
    section: str
    lines: tuple[Line, ...]
    points: tuple[Point, ...]
    declared: bool

    @cached_property
    def years(self) -> tuple[int, ...]:
        return tuple(p.year for p in self.points)

    @cached_property
    def by_year(self) -> Mapping[int, Point]:
        return {p.year: p for p in self.points}

    @cached_property
    def segments(self) -> tuple[tuple[int, ...], ...]:
        """The years of each stretch that compares."""
        out: dict[int, list[int]] = {}
        for point in self.points:
            out.setdefault(point.segment, []).append(point.year)
        return tuple(tuple(years) for years in out.values())

    def compare(self, one: int, other: int) -> bool:
        """Whether two of its years may be compared."""
        return self.by_year[one].segment == self.by_year[other].segment

    def answering(self, words: str) -> Line | None:
        """The line with this code or label."""
        wanted = _folded(words)
        return next((line for line in self.lines if line.code == words or _folded(line.label) == wanted), None)


@dataclass(frozen=True)
class Asked:
    """A survey of the collection: its folder, instrument, and the questions asked in each of its years."""

    folder: str
    survey: Survey
    years: Mapping[int, frozenset[str]]


def all_series(settings: TrendSettings, surveys: Sequence[Asked]) -> tuple[Series, ...]:
    """The declared series, then every other question with options, the latest survey's first.

    Raises StocktakeError with every question, answer or comparison that there is not.
    """
    problems = list(_problems(settings, surveys))
    if problems:
        raise StocktakeError([f"trends.yaml: {p}" for p in problems])
    out = [_series(settings, surveys, d, declared=True) for d in settings.series]
    taken = {(folder, q) for d in settings.series for folder, q in d.questions.items()}
    codes = {s.code for s in out} | {i.code for i in settings.indicators}
    for asked in reversed(surveys):
        for question in asked.survey.questions:
            if not question.options or (asked.folder, question.code) in taken:
                continue
            code = question.code if asked is surveys[-1] else f"{asked.folder}-{question.code}"
            # A declared page may be called as a question is.
            code = f"{code}-q" if code in codes else code
            codes.add(code)
            single = SeriesDefinition(code=code, questions={asked.folder: question.code})
            out.append(_series(settings, surveys, single, declared=False))
    found = tuple(s for s in out if s.points)
    problems = list(_standard_problems(settings, found))
    if problems:
        raise StocktakeError([f"trends.yaml: {p}" for p in problems])
    return found


def _standard_problems(settings: TrendSettings, series: Sequence[Series]) -> Iterator[str]:
    by_code = {s.code: s for s in series}
    for standard in settings.standards:
        own = by_code.get(standard.series)
        if own is None:
            yield f"standards: no series {standard.series!r}.{nearest(standard.series, list(by_code))}"
        elif own.answering(standard.answer) is None:
            labels = [line.label for line in own.lines]
            yield f"standards: {standard.series} has no answer {standard.answer!r}.{nearest(standard.answer, labels)}"


def _problems(settings: TrendSettings, surveys: Sequence[Asked]) -> Iterator[str]:
    by_folder = {a.folder: a for a in surveys}
    years = [(y, a.folder) for a in surveys for y in sorted(a.years)]
    for (earlier, one), (later, other) in pairwise(years):
        if later <= earlier:
            yield f"surveys: {other} has the year {later} and {one} before it {earlier}; expected each year once, in order."
    for definition in settings.series:
        for folder, code in definition.questions.items():
            survey = by_folder[folder].survey
            question = survey.by_code.get(code)
            if question is None:
                yield f"series {definition.code}: {folder} has no question {code!r}.{nearest(code, list(survey.by_code))}"
            elif not question.options:
                yield f"series {definition.code}: {code} of {folder} has no options, so that nothing can be counted."
            else:
                yield from _answer_problems(definition, folder, question)
        yield from _label_problems(definition, by_folder)
        known = {y for a in surveys for y in a.years if a.folder in definition.questions}
        for year in sorted(set(definition.notes) - known):
            yield f"series {definition.code}, notes: it has no year {year}."
    codes = {d.code: d for d in settings.series}
    for indicator in settings.indicators:
        for line in indicator.lines:
            labels = [one.code for one in codes[line.series].lines]
            if labels and line.line not in labels:
                yield f"indicator {indicator.code}: {line.series} has no line {line.line!r}.{nearest(line.line, labels)}"
            elif not labels:
                yield f"indicator {indicator.code}: the series {line.series} declares no lines; expected {line.line!r} among them."
    yield from _break_problems(settings.breaks, surveys)


def _answer_problems(definition: SeriesDefinition, folder: str, question: Question) -> Iterator[str]:
    known = [question.options[i - 1].label for i in counted_options(question)]
    labels = {_folded(label) for label in known}
    for line in definition.lines:
        if not any(_folded(a) in labels for a in line.answers):
            near = nearest(line.answers[0], known)
            yield (
                f"series {definition.code}, line {line.code}: {question.code} of {folder} has none of its answers among "
                f"those that are counted, such as {line.answers[0]!r}.{near}"
            )


def _label_problems(definition: SeriesDefinition, by_folder: Mapping[str, Asked]) -> Iterator[str]:
    """Answers of a line that no survey counts: misspelt, or not counted anywhere, such as that somebody did not know."""
    counted: dict[str, str] = {}
    others: dict[str, str] = {}
    for folder, code in definition.questions.items():
        question = by_folder[folder].survey.by_code.get(code)
        for i, option in enumerate(() if question is None else question.options, start=1):
            assert question is not None
            kept = counted if i in counted_options(question) else others
            kept[_folded(option.label)] = option.label
    for line in definition.lines:
        for answer in line.answers:
            folded = _folded(answer)
            if folded in counted:
                continue
            if folded in others:
                yield f"series {definition.code}, line {line.code}: {answer!r} is not counted in percentages; leave it out."
            else:
                near = nearest(answer, list(counted.values()))
                yield f"series {definition.code}, line {line.code}: no survey has the answer {answer!r}.{near}"


def _break_problems(breaks: Sequence[Break], surveys: Sequence[Asked]) -> Iterator[str]:
    """A question that compares across a break contradicts it; so does a break in a year that there is not."""
    years = sorted({y for a in surveys for y in a.years})
    for stop in breaks:
        if stop.year not in years:
            yield f"break {stop.year}: no survey is of that year; expected one of {', '.join(map(str, years))}."
    for asked in surveys:
        for stop in breaks:
            before = [y for y in asked.years if y < stop.year <= asked.survey.year]
            odd = [q.code for q in asked.survey.questions if any(y in q.comparable for y in before)]
            if odd:
                yield (
                    f"break {stop.year}: {asked.folder} compares {odd[0]}{f' and {len(odd) - 1} more' if odd[1:] else ''} "
                    "with years before it; expected one or the other."
                )


def _series(
    settings: TrendSettings, surveys: Sequence[Asked], definition: SeriesDefinition, *, declared: bool
) -> Series:
    own = [(a, a.survey.by_code[definition.questions[a.folder]]) for a in surveys if a.folder in definition.questions]
    latest_survey, latest = own[-1][0].survey, own[-1][1]
    points: list[Point] = []
    before: tuple[Asked, Question, int] | None = None
    for asked, question in own:
        for year in sorted(asked.years):
            if question.code not in asked.years[year]:
                continue
            reason = "" if before is None else _why_not(settings.breaks, before, (asked, question, year))
            segment = 0 if before is None else points[-1].segment + (1 if reason else 0)
            note = definition.notes.get(year, "")
            # Of years that do not compare the wording is another as a matter of course.
            if before is not None and not reason and before[1].label != question.label:
                note = note or f"The wording was {before[1].label!r} before."
            points.append(Point(year, asked.folder, question.code, question.label, segment, reason, note))
            before = (asked, question, year)
    section = ""
    if latest.section is not None:
        section = latest_survey.section(latest.section).title
    lines = _declared_lines(definition, own) if definition.lines else _every_answer(own)
    return Series(
        definition.code, definition.title or latest.label, definition.short or latest.short, section, lines,
        tuple(points), declared,
    )  # fmt: skip


def _why_not(breaks: Sequence[Break], then: tuple[Asked, Question, int], now: tuple[Asked, Question, int]) -> str:
    """Why a year does not compare with the one before it in the series; empty where it does."""
    for stop in breaks:
        if then[2] < stop.year <= now[2]:
            return stop.reason
    old, new = then[0], now[0]
    if old.folder == new.folder:
        # Within a survey each year compares with its latest, as the instrument says.
        lasting = {new.survey.year, *now[1].comparable}
        return "" if {then[2], now[2]} <= lasting else "The question was new or changed."
    same = now[1].comparable.get(then[2]) == then[1].code
    return "" if same else "It was asked in another survey, which is not declared to compare."


def _folded(label: str) -> str:
    return " ".join(label.casefold().split())


def _declared_lines(definition: SeriesDefinition, own: Sequence[tuple[Asked, Question]]) -> tuple[Line, ...]:
    out = []
    for line in definition.lines:
        wanted = {_folded(a) for a in line.answers}
        options = {
            asked.folder: tuple(i for i in counted_options(q) if _folded(q.options[i - 1].label) in wanted)
            for asked, q in own
        }
        out.append(Line(line.code, line.label, options))
    return tuple(out)


def _every_answer(own: Sequence[tuple[Asked, Question]]) -> tuple[Line, ...]:
    """Each answer that percentages are of as a line, known by its label; those of the latest survey first."""
    found: dict[str, tuple[str, dict[str, tuple[int, ...]]]] = {}
    for asked, question in reversed(own):
        for i in counted_options(question):
            label = question.options[i - 1].label
            _, options = found.setdefault(_folded(label), (label, {}))
            options[asked.folder] = (*options.get(asked.folder, ()), i)
    return tuple(Line(f"a{k}", label, options) for k, (label, options) in enumerate(found.values(), start=1))
