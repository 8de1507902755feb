"""Official workbooks in: the programme's published benchmark layout, recomputed rather than copied."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from stocktake.compare.estimates import Estimates, Floats, Measure, Status
from stocktake.compare.expected_range import ExpectedRange, banding, spread_from_limits, summary
from stocktake.organisations import Organisation
from stocktake.problems import StocktakeError
from stocktake.survey.instrument import Demographic, DemographicOption, Question, Section, Survey, library, load
from stocktake.survey.scores import measures as measures_of

# Columns are named alike from year to year and survey to survey, with other prefixes: a trust's
# or a site's; `_tres` or `_sres`; `tr_rate` or `sr_rate`.
CODE = re.compile(r"(?:trust|site|provider|org(?:anisation)?)_?code", re.I)
NAME = re.compile(r"(?:trust|site|provider|org(?:anisation)?)_?name", re.I)
BASE = re.compile(r"([A-Z]+\d+\w*?)_[a-z]?res", re.I)
TOTAL = re.compile(r"n_[a-z]?pat(?:_H\d*)?", re.I)
RATE = re.compile(r"[a-z]?r_rate", re.I)
SHARE = re.compile(r"([a-z]+(?:_[a-z]+)*?)(\d+)_[a-z]?pc", re.I)
MEAN = re.compile(r"mean(\w+)")
MEAN_THEN = re.compile(r"(\w+?)_mean_H\d*")
BASE_THEN = re.compile(r"(\w+?)_Base_unw")
SIGN = re.compile(r"(\w+?)_sig")
YEAR = re.compile(r"(20\d\d)")
SECTION = re.compile(r"S\d+")


@dataclass(frozen=True)
class History:
    """An earlier year in the workbook: its organisations' scores, bases and imported verdicts.

    Arrays have shape (organisations, measures) in the workbook's order of measures; `verdict` is -1, 0
    or 1, NaN where there is none.
    """

    year: int
    organisations: tuple[Organisation, ...]
    n: Floats
    value: Floats
    verdict: Floats
    completed: Floats


@dataclass(frozen=True)
class Workbook:
    """What a published workbook carries: scores, S, bases, rates, profile and history, NaN where blank.

    `rate` and `national_rate` are shares; `profile` maps a variable to percentages (organisations,
    options) and `national_profile` to percentages (options,).
    """

    file: str
    title: str
    year: int
    organisations: tuple[Organisation, ...]
    measures: tuple[str, ...]
    n: Floats
    value: Floats
    low95: Floats
    high95: Floats
    completed: Floats
    rate: Floats
    national_rate: float
    national_completed: float
    profile: dict[str, Floats]
    national_profile: dict[str, Floats]
    labels: dict[str, str]
    history: tuple[History, ...]
    incomparable: dict[str, str]


@dataclass
class _Sheet:
    """One sheet as header and rows, with every cell that should have been a number and was not."""

    file: str
    name: str
    header: list[str]
    rows: list[list[Any]]
    problems: list[str] = field(default_factory=list)

    def find(self, pattern: re.Pattern[str]) -> Iterator[tuple[int, re.Match[str]]]:
        for i, name in enumerate(self.header):
            match = pattern.fullmatch(name)
            if match:
                yield i, match

    def one(self, pattern: re.Pattern[str], what: str) -> int:
        for i, _ in self.find(pattern):
            return i
        self.problems.append(
            f"{self.file}, sheet {self.name}, row 1: no column for the {what}; expected a name such as "
            f"{what.split()[-1]}."
        )
        return -1

    def numbers(self, column: int) -> Floats:
        out = np.full(len(self.rows), np.nan)
        if column < 0:
            return out
        for i, row in enumerate(self.rows):
            value = row[column] if column < len(row) else ""
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                out[i] = value
            elif str(value).strip():
                try:
                    out[i] = float(str(value))
                except ValueError:
                    self.problems.append(
                        f"{self.file}, sheet {self.name}, row {i + 2}, column {self.header[column]}: "
                        f"found {str(value)[:40]!r}, expected a number or blank."
                    )
        return out

    def texts(self, column: int) -> list[str]:
        return [str(row[column]).strip() if 0 <= column < len(row) else "" for row in self.rows]

    def organisations(self) -> tuple[Organisation, ...]:
        codes = self.texts(self.one(CODE, "organisation's TrustCode"))
        names = self.texts(self.one(NAME, "organisation's trustname"))
        for code in sorted({c for c in codes if codes.count(c) > 1}):
            self.problems.append(
                f"{self.file}, sheet {self.name}: {code!r} stands {codes.count(code)} times; expected it once."
            )
        return tuple(Organisation(c, n or c) for c, n in zip(codes, names, strict=True))


def read_workbook(path: Path) -> Workbook:
    """Read a workbook of the programme's published layout (.ods or .xlsx).

    Raises StocktakeError with every missing sheet and column, and every cell that is not a number.
    """
    import python_calamine

    if not path.is_file():
        raise StocktakeError(f"{path}: no such file.")
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        contents = {n: book.get_sheet_by_name(n).to_python() for n in book.sheet_names}
    except Exception as error:  # the reader's own errors differ by format
        raise StocktakeError(f"{path.name}: cannot be read as a workbook ({error}).") from None
    sheets = {
        name: _Sheet(path.name, name, [str(h).strip() for h in rows[0]], rows[1:])
        for name, rows in contents.items()
        if rows
    }
    scores = _sheet(sheets, lambda n: n.endswith("_scores"), path.name, "Trust_Scores")
    bases = _sheet(
        sheets,
        lambda n: n.endswith("_respondents") and not n.startswith("national"),
        path.name,
        "Trust_Respondents",
    )
    national = next((s for n, s in sheets.items() if n.lower() == "national_respondents"), None)
    guidance = [" ".join(str(c) for c in r).strip() for r in contents.get("Guidance", [])]
    workbook = _assemble(path.name, scores, bases, national, sheets, guidance)
    problems = [p for s in sheets.values() for p in s.problems]
    if problems:
        raise StocktakeError(problems)
    return workbook


def _sheet(sheets: dict[str, _Sheet], wanted: Any, file: str, example: str) -> _Sheet:
    for name, sheet in sheets.items():
        if wanted(name.lower()):
            return sheet
    raise StocktakeError(
        f"{file}: no sheet such as {example}; found {', '.join(sheets) or 'no sheets'}. "
        "Expected the programme's published benchmark layout."
    )


def _assemble(
    file: str,
    scores: _Sheet,
    bases: _Sheet,
    national: _Sheet | None,
    sheets: dict[str, _Sheet],
    guidance: list[str],
) -> Workbook:
    organisations = scores.organisations()
    order = {o.code: i for i, o in enumerate(bases.organisations())}
    lost = [o.code for o in organisations if o.code not in order]
    scores.problems += [f"{file}, sheet {bases.name}: no row for {c}, which has scores." for c in lost]
    if lost or scores.problems or bases.problems:
        raise StocktakeError([*scores.problems, *bases.problems])
    rows = [order[o.code] for o in organisations]
    codes = [m.group(1) for _, m in scores.find(MEAN)]
    if not codes:
        raise StocktakeError(f"{file}, sheet {scores.name}: no score column; expected names such as meanQ1.")
    place = {name: i for i, name in enumerate(scores.header)}

    def limit(kind: str) -> Floats:
        missing = [c for c in codes if f"{kind}{c}" not in place]
        scores.problems.extend(f"{file}, sheet {scores.name}, row 1: column {kind}{c} is missing." for c in missing)
        return np.stack([scores.numbers(place.get(f"{kind}{c}", -1)) for c in codes], axis=1)

    base_columns = {m.group(1): i for i, m in bases.find(BASE)}
    n = np.stack([bases.numbers(base_columns.get(c, -1))[rows] for c in codes], axis=1)
    shares, labels = _shares(bases, rows), _labels(sheets.get("Key"))
    said = national or _Sheet(file, "", [], [[]])
    totals = next((said.numbers(i) for i, _ in said.find(TOTAL)), np.array([np.nan]))
    rates = next((said.numbers(i) for i, _ in said.find(RATE)), np.array([np.nan]))
    title = next((g for g in guidance if YEAR.search(g)), file)
    year = YEAR.search(title) or YEAR.search(file)
    if year is None:
        raise StocktakeError(f"{file}: no year in the Guidance sheet's title or the file's name.")
    history = tuple(_history(sheet, codes) for name, sheet in sheets.items() if "historical" in name.lower())
    return Workbook(
        file,
        title.removeprefix("NHS "),
        int(year.group(1)),
        organisations,
        tuple(codes),
        n,
        np.stack([scores.numbers(place[f"mean{c}"]) for c in codes], axis=1),
        limit("ll95"),
        limit("ul95"),
        bases.numbers(bases.one(TOTAL, "total respondents n_tpat"))[rows],
        bases.numbers(bases.one(RATE, "response rate tr_rate"))[rows] / 100,
        float(rates[0]) / 100,
        float(totals[0]),
        shares,
        {k: v[0] for k, v in _shares(said, [0]).items()},
        labels,
        tuple(sorted(history, key=lambda h: -h.year)),
        _incomparable(guidance),
    )


def _shares(sheet: _Sheet, rows: Sequence[int]) -> dict[str, Floats]:
    found: dict[str, list[tuple[int, int]]] = {}
    for i, match in sheet.find(SHARE):
        found.setdefault(match.group(1), []).append((int(match.group(2)), i))
    return {
        variable: np.stack([sheet.numbers(i)[list(rows)] for _, i in sorted(columns)], axis=1)
        for variable, columns in found.items()
    }


def _labels(key: _Sheet | None) -> dict[str, str]:
    """What the Key sheet calls each percentage, without its fixed beginning and end."""
    labels: dict[str, str] = {}
    for row in key.rows if key else []:
        cells = [str(c).strip() for c in row]
        for name, text in pairwise(cells):
            if SHARE.fullmatch(name):
                plain = re.sub(r"^Percentage |\s*\((?:per \w+|nationally)\)$", "", text)
                labels.setdefault(re.sub(r"_[a-z]?pc$", "", name), plain[:1].upper() + plain[1:])
    return labels


def _history(sheet: _Sheet, codes: Sequence[str]) -> History:
    year = YEAR.search(sheet.name)
    said = year.group(1) if year else str(sheet.rows[0][0])[:4]

    def columns(pattern: re.Pattern[str]) -> Floats:
        found = {m.group(1): i for i, m in sheet.find(pattern)}
        return np.stack([sheet.numbers(found.get(c, -1)) for c in codes], axis=1)

    total = next((i for i, _ in sheet.find(TOTAL)), -1)
    return History(
        int(said), sheet.organisations(), columns(BASE_THEN), columns(MEAN_THEN), columns(SIGN), sheet.numbers(total)
    )


def _incomparable(guidance: list[str]) -> dict[str, str]:
    """Organisations that the Guidance sheet names as not comparable, each with the sentence that says why."""
    reasons: dict[str, str] = {}
    sentence, inside = "", False
    for line in guidance:
        if line.lower().startswith("non-comparable"):
            inside = True
        elif inside and line.lower().startswith(("excluded", "further")):
            break
        elif inside and line:
            match = re.search(r"\(([A-Z0-9]{3,6})\)\s*$", line)
            if match:
                reasons[match.group(1)] = sentence or "The workbook says that it cannot be compared."
            else:
                sentence = re.sub(r"the below (?:sites/trusts|sites|trusts)", "this organisation", line).rstrip(":")
    return reasons


def infer_sections(measures: Sequence[str], value: Floats, tolerance: float = 1e-6) -> dict[str, tuple[str, ...]]:
    """Which questions each section is the mean of, from the scores alone; sections not found are left out.

    `value` has shape (organisations, measures). Solved as least squares over organisations with
    every score, then each section is checked as the plain mean of its questions in every organisation.
    """
    questions = [i for i, c in enumerate(measures) if not SECTION.fullmatch(c)]
    whole = ~np.isnan(value).any(axis=1)
    found: dict[str, tuple[str, ...]] = {}
    for s, code in enumerate(measures):
        if s in questions or whole.sum() < len(questions):
            continue
        share, *_ = np.linalg.lstsq(value[whole][:, questions], value[whole, s], rcond=None)
        members = [q for q, w in zip(questions, share, strict=True) if w > 1e-3]
        gap = np.abs(value[:, s] - value[:, members].mean(axis=1)) if members else np.array([np.inf])
        if np.nan_to_num(gap).max() <= tolerance:
            found[code] = tuple(measures[q] for q in members)
    return found


def instrument_of(workbook: Workbook, given: str | Path | None = None) -> Survey:
    """The instrument for a workbook: the one given, else the library's with the same questions, else one inferred.

    Raises StocktakeError where the instrument lacks a measure of the workbook or has another one.
    """
    if given is not None:
        survey = load(given)
        _check_instrument(survey, workbook)
        return survey
    for code in library():
        survey = load(code)
        if survey.year == workbook.year and {m.code for m in measures_of(survey)} == set(workbook.measures):
            return survey
    return _inferred(workbook)


def _check_instrument(survey: Survey, workbook: Workbook) -> None:
    ours, theirs = {m.code for m in measures_of(survey)}, set(workbook.measures)
    problems = [f"{survey.code}: {c} is scored in the workbook but not here." for c in sorted(theirs - ours)]
    problems += [f"{survey.code}: {c} is scored here but not in the workbook." for c in sorted(ours - theirs)]
    if problems:
        raise StocktakeError(problems)


def _inferred(workbook: Workbook) -> Survey:
    sections = infer_sections(workbook.measures, workbook.value)
    named = [c for c in workbook.measures if SECTION.fullmatch(c)]
    owner = {q: s for s, members in sections.items() for q in members}
    loose = [c for c in workbook.measures if not SECTION.fullmatch(c) and c not in owner]
    if len(sections) < len(named) or loose:
        lost = [*(s for s in named if s not in sections), *loose]
        raise StocktakeError(
            f"{workbook.file}: which questions make up which section cannot be read from the scores "
            f"({', '.join(lost)}); give an instrument file with --instrument."
        )
    comparable = {
        code: {h.year: code for h in workbook.history if not np.isnan(h.value[:, j]).all()}
        for j, code in enumerate(workbook.measures)
    }
    code = re.sub(r"[^a-z0-9]+", "_", workbook.title.lower()).strip("_") or "workbook"
    return Survey(
        code=code,
        title=workbook.title,
        year=workbook.year,
        people="respondents",
        person="respondent",
        sections=tuple(Section(code=s, number=i) for i, s in enumerate(named, start=1)),
        questions=tuple(
            Question(code=q, section=owner[q], base="", comparable=comparable[q])
            for q in workbook.measures
            if q in owner
        ),
        demographics=tuple(
            Demographic(
                code=variable,
                title=variable.replace("_", " ").capitalize(),
                options=tuple(
                    DemographicOption(code=k, label=workbook.labels.get(f"{variable}{k}", f"{variable} {k}"))
                    for k in range(1, shares.shape[1] + 1)
                ),
            )
            for variable, shares in workbook.profile.items()
        ),
        inferred=(
            "Which questions make up each section is inferred from the published scores.",
            "Codes stand in place of wording, which the workbook does not carry.",
        ),
    )


def estimates_of(survey: Survey, workbook: Workbook) -> tuple[Estimates, ExpectedRange]:
    """The workbook's scores compared anew: average, lowest and highest from the scores; z, limits and bands from
    S, which the 95% limits give. The published band and z are not read.

    Raises StocktakeError where a score is shown whose S cannot be recovered.
    """
    measures = measures_of(survey)
    place = [workbook.measures.index(m.code) for m in measures]
    estimates = _estimates(
        measures, tuple(o.code for o in workbook.organisations), workbook.n[:, place], workbook.value[:, place]
    )
    count, centre, lowest, highest = summary(estimates.value)
    spread = spread_from_limits(centre, workbook.low95[:, place], workbook.high95[:, place])
    shown = estimates.status == Status.SHOWN
    problems = [
        f"{workbook.file}: {measures[j].code} of {estimates.organisations[i]} has a score but its 95% limits are both "
        "clipped or blank, so that no band can be worked out."
        for i, j in zip(*np.nonzero(shown & ~(spread > 0)), strict=True)
    ]
    if problems:
        raise StocktakeError(problems)
    spread = np.where(shown, spread, np.nan)
    z, band, limits = banding(estimates.value, centre, spread)
    unknown = np.full(centre.shape, np.nan)
    return estimates, ExpectedRange(count, centre, lowest, highest, unknown, unknown, spread, z, band, limits)


def _estimates(measures: tuple[Measure, ...], codes: tuple[str, ...], n: Floats, value: Floats) -> Estimates:
    n = n.copy()
    for j, measure in enumerate(measures):
        if measure.parts:
            n[:, j] = n[:, list(measure.parts)].min(axis=1)
    hidden = np.isnan(value)
    status = np.where(hidden, Status.WITHHELD_BASE, Status.SHOWN).astype(np.int8)
    sections = np.array([bool(m.parts) for m in measures])
    status[hidden & sections] = Status.WITHHELD_PART
    return Estimates(codes, measures, np.where(hidden, np.nan, n), value, np.full(value.shape, np.nan), status)


def history_estimates(survey: Survey, workbook: Workbook, history: History) -> tuple[Estimates, Floats]:
    """An earlier year's estimates and the imported verdicts, by the codes that the instrument compares."""
    measures = measures_of(survey)
    place = [workbook.measures.index(m.code) for m in measures]
    value = history.value[:, place]
    estimates = _estimates(measures, tuple(o.code for o in history.organisations), history.n[:, place], value)
    return estimates, history.verdict[:, place]
