"""Check and clean one batch of respondents: every rejected value is in a finding."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from stocktake.survey.coding import (
    ABSENT,
    Bools,
    Codes,
    bands,
    option_codes,
    outside_dates,
    text,
    whole_columns,
    whole_numbers,
)
from stocktake.survey.counts import Batch
from stocktake.survey.findings import Findings
from stocktake.survey.instrument import Demographic
from stocktake.survey.responses import Cleaned, Intake, Raw
from stocktake.survey.sample import group_positions

OLDEST = 120


def clean(intake: Intake, raw: Raw) -> Cleaned:
    """Check one batch and make it ready to count; a function of the batch alone."""
    return _Cleaner(intake, raw).run()


class _Cleaner:
    """The steps for one batch, in the order in which a row can be set aside."""

    def __init__(self, intake: Intake, raw: Raw) -> None:
        self.intake, self.raw = intake, raw
        self.survey, self.method, self.layout = intake.survey, intake.method, intake.layout
        self.frame = raw.load()
        self.size = self.frame.height
        self.file = intake.table.name
        self.rows = np.arange(raw.first_row, raw.first_row + self.size)
        self.findings = Findings(intake.survey.year, intake.show_values, frozenset(intake.layout.organisations))
        self.filled = whole_columns(self.frame)
        self.kept = np.ones(self.size, dtype=bool)
        self.identity: pl.Series | None = None
        if self.survey.columns.respondent in self.frame.columns:
            self.identity = text(self.frame[self.survey.columns.respondent])
        self.sampled: pl.DataFrame | None = None
        if intake.sample is not None and self.identity is not None:
            self.sampled = pl.DataFrame({"respondent": self.identity}).join(
                intake.sample.people, on="respondent", how="left", maintain_order="left"
            )

    def run(self) -> Cleaned:
        organisation = self._organisation()
        self._duplicates()
        self._dates()
        group = self._group()
        demographics = [self._demographic(d) for d in self.survey.demographics]
        cell = self._cell(demographics)
        answers = self._answers()
        self._routes(answers)
        self._too_few(answers)
        self._uncelled(cell)
        key = organisation * np.int32(self.layout.strata)
        key += group.astype(np.int32) * np.int32(self.layout.cells + 1)
        key += cell
        columns = [answers.get(code) for code, _ in self.layout.questions]
        by_code = dict(zip([d.code for d in self.survey.demographics], demographics, strict=True))
        empty = np.zeros(self.size, dtype=np.int16)
        columns = [
            by_code.get(code, empty) if c is None else c
            for (code, _), c in zip(self.layout.questions, columns, strict=True)
        ]
        if not self.kept.all():
            key = key[self.kept]
            columns = [c[self.kept] for c in columns if c is not None]
        batch = Batch(key, tuple(c for c in columns if c is not None))
        set_aside = self.size - int(self.kept.sum())
        people = None if self.identity is None else self.identity.filter(pl.Series(self.kept))
        return Cleaned(batch, self.findings, set_aside, self.size, people)

    def _set_aside(self, check: str, where: Bools, column: str, expected: str, values: pl.Series | None = None) -> None:
        # A row is reported under the first reason to set it aside, so that the numbers add up.
        where = where & self.kept
        if where.any():
            shown = None if values is None else values.filter(pl.Series(where)).to_list()
            self.findings.add(check, self.file, self.rows[where], column, shown, expected)
            self.kept &= ~where

    def _organisation(self) -> NDArray[np.int32]:
        name = self.survey.columns.organisation
        expected = "a code in the list of organisations"
        if self.sampled is not None:
            known = self.sampled["sample_organisation"]
            values = text(self.frame[name]) if name in self.frame.columns else known
            unknown = ~values.is_in(list(self.layout.organisations)).fill_null(False).to_numpy()
            if name in self.frame.columns:
                self._set_aside("unknown organisation", unknown, name, expected, values)
            absent = known.is_null().to_numpy()
            self._set_aside(
                "not in the sample",
                absent,
                self.survey.columns.respondent,
                "a respondent in the sample file",
                self.identity,
            )
            differs = (values != known).fill_null(False).to_numpy()
            self._set_aside("organisation differs", differs, name, "the sample file's organisation", values)
        else:
            values = self.frame[name]
            values = values if values.dtype == pl.String else text(values)
        codes = values.cast(self.intake.codes, strict=False).to_physical()
        if codes.null_count():
            self._set_aside("unknown organisation", codes.is_null().to_numpy(), name, expected, values)
            codes = codes.fill_null(0)
        return codes.to_numpy().astype(np.int32)

    def _duplicates(self) -> None:
        if self.raw.repeated is not None:
            self._set_aside(
                "duplicate respondent",
                self.raw.repeated,
                self.survey.columns.respondent,
                "each respondent once",
                self.identity,
            )

    def _dates(self) -> None:
        eligibility, name = self.survey.eligibility, self.survey.columns.contact_date
        if eligibility.contact_from is None and eligibility.contact_to is None:
            return
        if name in self.frame.columns:
            series = self.frame[name]
        elif self.sampled is not None and "sample_contact_date" in self.sampled.columns:
            series = self.sampled["sample_contact_date"]
        else:
            return
        outside, unreadable = outside_dates(series, eligibility.contact_from, eligibility.contact_to)
        self.findings.add(
            "date unreadable", self.file, self.rows[unreadable], name, expected="a date such as 2024-04-30"
        )
        expected = f"a date from {eligibility.contact_from} to {eligibility.contact_to}"
        self._set_aside("date outside eligibility", outside, name, expected)

    def _group(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        name = self.survey.columns.group
        if self.survey.groups and name in self.frame.columns:
            groups, odd = group_positions(self.frame[name], self.survey, self.filled.get(name))
            if odd.any():
                self.findings.add(
                    "unknown service group",
                    self.file,
                    self.rows[odd],
                    name,
                    self.frame[name].filter(pl.Series(odd)).to_list(),
                    f"one of {', '.join(str(g.value) for g in self.survey.groups)}, or nothing",
                )
            return groups
        if self.survey.groups and self.sampled is not None:
            return self.sampled["sample_group"].fill_null(0).cast(pl.Int64).to_numpy()
        return np.zeros(self.size, dtype=np.int64)

    def _demographic(self, demographic: Demographic) -> Codes:
        """The option chosen (1 + its position, 0 for none), from the questionnaire, else the sample file."""
        own = self.frame[demographic.name] if demographic.name in self.frame.columns else None
        theirs = None
        if self.sampled is not None and f"sample_{demographic.code}" in self.sampled.columns:
            theirs = self.sampled[f"sample_{demographic.code}"]
        if demographic.kind == "number":
            return self._number(demographic, own, theirs)
        codes = [o.code for o in demographic.options]
        chosen: Codes = np.zeros(self.size, dtype=np.int16)
        if own is not None:
            chosen, broken = option_codes(own, codes, self.filled.get(demographic.name))
            self._broken(broken, own, demographic.name, codes)
        if theirs is not None and demographic.from_sample:
            other, _ = option_codes(theirs, codes)
            chosen = np.where(chosen == 0, other, chosen)
        return chosen

    def _number(self, demographic: Demographic, own: pl.Series | None, theirs: pl.Series | None) -> Codes:
        values = np.full(self.size, ABSENT, dtype=np.int64)
        if own is not None:
            values, broken = whole_numbers(own)
            broken |= (values != ABSENT) & ((values < 0) | (values > OLDEST))
            if broken.any():
                self.findings.add(
                    "age outside eligibility",
                    self.file,
                    self.rows[broken],
                    demographic.name,
                    expected=f"a whole number from 0 to {OLDEST}",
                    action="the value is set aside; the sample file's is used if there is one",
                )
                values = np.where(broken, ABSENT, values)
        if theirs is not None and demographic.from_sample:
            other, _ = whole_numbers(theirs)
            values = np.where(values == ABSENT, other, values)
        if demographic.code == "age":
            low, high = self.survey.eligibility.age_from, self.survey.eligibility.age_to
            outside = (values != ABSENT) & (
                (values < (0 if low is None else low)) | (values > (OLDEST if high is None else high))
            )
            ends = f" to {high}" if high is not None else " or over"
            self._set_aside("age outside eligibility", outside, demographic.name, f"an age of {low or 0}{ends}")
        return bands(values, [(o.from_, o.to) for o in demographic.options])

    def _cell(self, demographics: list[Codes]) -> NDArray[np.int16]:
        """The standardisation cell of each row; the number of cells itself for a row that fits in none."""
        cell = np.zeros(self.size, dtype=np.int16)
        whole: Bools | None = None
        order = [d.code for d in self.survey.demographics]
        for variable in self.survey.cells:
            demographic = self.survey.demographic(variable)
            usable = (np.cumsum([0] + [o.cell for o in demographic.options]) - 1).astype(np.int16)
            usable[1:][[not o.cell for o in demographic.options]] = -1
            usable[0] = -1
            place = usable.take(demographics[order.index(variable)])
            if place.min(initial=0) < 0:
                if self.method.unclassified == "sample file":
                    place = np.where(place < 0, self._from_sample(demographic, usable), place)
                whole = place >= 0 if whole is None else whole & (place >= 0)
            cell *= np.int16(usable.max() + 1)
            cell += place
        return cell if whole is None else np.where(whole, cell, np.int16(self.layout.cells))

    def _from_sample(
        self, demographic: Demographic, usable: np.ndarray[tuple[int], np.dtype[np.int16]]
    ) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        name = f"sample_{demographic.code}"
        if self.sampled is None or name not in self.sampled.columns or demographic.kind == "number":
            return np.full(self.size, -1, dtype=np.int16)
        other, _ = option_codes(self.sampled[name], [o.code for o in demographic.options])
        return usable[other]

    def _uncelled(self, cell: NDArray[np.int16]) -> None:
        outside = (cell == self.layout.cells) & self.kept
        if outside.any():
            names = " and ".join(self.survey.demographic(c).title.lower() for c in self.survey.cells)
            self.findings.add(
                "no age or sex",
                self.file,
                self.rows[outside],
                ", ".join(self.survey.demographic(c).name for c in self.survey.cells),
                expected=f"{names} in the questionnaire or the sample file",
            )

    def _answers(self) -> dict[str, Codes]:
        answers = {}
        filled = self.filled
        for question in self.survey.questions:
            if question.code not in self.intake.asked:
                continue
            name = self.intake.column(question.code)
            series = self.frame[name]
            missing = self.intake.table.user_missing.get(name, ())
            if missing:
                series = self._user_missing(series, name, missing)
            codes = [o.code for o in question.options]
            answers[question.code], broken = option_codes(series, codes, None if missing else filled.get(name))
            self._broken(broken, series, name, codes)
        return answers

    def _user_missing(self, series: pl.Series, name: str, missing: tuple[float, ...]) -> pl.Series:
        marked = series.cast(pl.Float64, strict=False).is_in(list(missing)).fill_null(False)
        self.findings.add(
            "user-missing value",
            self.file,
            self.rows[marked.to_numpy()],
            name,
            text(series.filter(marked)).to_list(),
            "an answer",
        )
        return series.set(marked, None)

    def _broken(self, broken: Bools | None, series: pl.Series, column: str, codes: list[int]) -> None:
        if broken is not None:
            listed = f"one of {', '.join(map(str, codes))}, or blank"
            values = series.filter(pl.Series(broken)).to_list()
            self.findings.add("code not in the question", self.file, self.rows[broken], column, values, listed)

    def _routes(self, answers: dict[str, Codes]) -> None:
        """Find answers to questions that an earlier answer leads past, in the questionnaire's order."""
        order = [q.code for q in self.survey.questions]
        for i, question in enumerate(self.survey.questions):
            if question.code not in answers or not question.routes:
                continue
            for route in question.routes:
                options = [k for k, o in enumerate(question.options, start=1) if o.code in route.answers]
                led = np.isin(answers[question.code], options)
                if not led.any():
                    continue
                for passed in order[i + 1 : order.index(route.skip_to)]:
                    if passed in answers:
                        self._pass_over(answers, passed, led, question.code)

    def _pass_over(self, answers: dict[str, Codes], question: str, led: Bools, by: str) -> None:
        wrong = led & (answers[question] > 0)
        if not wrong.any():
            return
        action = "the answer is set aside" if self.method.routed_past == "set aside" else "the answer is kept, as set"
        options = self.survey.by_code[question].options
        values = [options[k - 1].code for k in answers[question][wrong]]
        self.findings.add(
            "answer routed past",
            self.file,
            self.rows[wrong],
            self.intake.column(question),
            values,
            f"no answer after the answer to {by}",
            action=action,
        )
        if self.method.routed_past == "set aside":
            answers[question] = np.where(wrong, 0, answers[question]).astype(np.int16)

    def _too_few(self, answers: dict[str, Codes]) -> None:
        # Truth values in 8 bits, which are added several at a time; as many as 8 bits hold.
        given, some = np.zeros(self.size, dtype=np.int16), list(answers.values())
        for start in range(0, len(some), 255):
            together, answered = np.zeros(self.size, dtype=np.uint8), np.empty(self.size, dtype=bool)
            for codes in some[start : start + 255]:
                together += np.greater(codes, 0, out=answered).view(np.uint8)
            given += together
        few = given < self.method.minimum_answers
        if few.any():
            self._set_aside(
                "too few answers",
                few,
                "",
                f"at least {self.method.minimum_answers} answers",
                pl.Series(given),
            )
