"""Workbooks of the programme's published benchmark layout: what each sheet and column holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from stocktake.compare.estimates import Floats
from stocktake.organisations import Organisation
from stocktake.problems import StocktakeError
from stocktake.survey.opening import check_workbook, readable

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
Z = re.compile(r"(\w+?)_Zfinal")
LIMITS = ("ll99", "ll95", "ll90", "ul90", "ul95", "ul99")
# What our own published layout says of its rounding, and of the questions of a section.
DECIMALS = re.compile(r"rounded to (\d) decimals?\b")
MEMBERS = re.compile(r"; the mean of ([\w., -]+)\.$")


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

    `banded`, `z` and `limits` (organisations, measures, six limits from the lowest) are the published bands and z, which are worked out anew unless the figures are rounded: `decimals`
    says to how many decimals they are, None for full precision. `sections` are the questions of each section where the
    workbook names them. `rate` and `national_rate` are shares; `profile` maps a variable to percentages (organisations,
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
    banded: Floats
    z: Floats
    limits: Floats
    completed: Floats
    rate: Floats
    national_rate: float
    national_completed: float
    profile: dict[str, Floats]
    national_profile: dict[str, Floats]
    labels: dict[str, str]
    history: tuple[History, ...]
    incomparable: dict[str, str]
    decimals: int | None = None
    sections: dict[str, tuple[str, ...]] = field(default_factory=dict)


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
                f"{self.file}, sheet {self.name}: {code!r} appears {codes.count(code)} times; expected it once."
            )
        return tuple(Organisation(c, n or c) for c, n in zip(codes, names, strict=True))


def read_workbook(path: Path) -> Workbook:
    """Read a workbook of the programme's published layout (.ods or .xlsx).

    Raises StocktakeError with every missing sheet and column, and every cell that is not a number.
    """
    import python_calamine

    if not path.is_file():
        raise StocktakeError(f"{path}: no such file.")
    check_workbook(path)
    with readable(path.name, "a workbook"):
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        contents = {n: book.get_sheet_by_name(n).to_python() for n in book.sheet_names}
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

    z_columns = {m.group(1): i for i, m in scores.find(Z)}
    base_columns = {m.group(1): i for i, m in bases.find(BASE)}
    n = np.stack([bases.numbers(base_columns.get(c, -1))[rows] for c in codes], axis=1)
    shares, labels = _shares(bases, rows), _labels(sheets.get("Key"))
    sheet = national or _Sheet(file, "", [], [[]])
    totals = next((sheet.numbers(i) for i, _ in sheet.find(TOTAL)), np.array([np.nan]))
    rates = next((sheet.numbers(i) for i, _ in sheet.find(RATE)), np.array([np.nan]))
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
        np.stack([scores.numbers(place.get(f"band{c}", -1)) for c in codes], axis=1),
        np.stack([scores.numbers(z_columns.get(c, -1)) for c in codes], axis=1),
        np.stack([[scores.numbers(place.get(f"{kind}{c}", -1)) for kind in LIMITS] for c in codes]).transpose(2, 0, 1),
        bases.numbers(bases.one(TOTAL, "total respondents n_tpat"))[rows],
        bases.numbers(bases.one(RATE, "response rate tr_rate"))[rows] / 100,
        float(rates[0]) / 100,
        float(totals[0]),
        shares,
        {k: v[0] for k, v in _shares(sheet, [0]).items()},
        labels,
        tuple(sorted(history, key=lambda h: -h.year)),
        _incomparable(guidance),
        next((int(m.group(1)) for g in guidance if (m := DECIMALS.search(g))), None),
        _sections(sheets.get("Key")),
    )


def _sections(key: _Sheet | None) -> dict[str, tuple[str, ...]]:
    """The questions of each section, where the Key sheet names them."""
    found = {}
    for row in key.rows if key else []:
        for name, text in pairwise(str(c).strip() for c in row):
            mean, members = MEAN.fullmatch(name), MEMBERS.search(text)
            if mean and members:
                found[mean.group(1)] = tuple(m.strip() for m in members.group(1).split(","))
    return found


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
    found = year.group(1) if year else str(sheet.rows[0][0])[:4]

    def columns(pattern: re.Pattern[str]) -> Floats:
        found = {m.group(1): i for i, m in sheet.find(pattern)}
        return np.stack([sheet.numbers(found.get(c, -1)) for c in codes], axis=1)

    total = next((i for i, _ in sheet.find(TOTAL)), -1)
    return History(
        int(found), sheet.organisations(), columns(BASE_THEN), columns(MEAN_THEN), columns(SIGN), sheet.numbers(total)
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
