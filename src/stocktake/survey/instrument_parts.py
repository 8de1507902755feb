"""The parts of an instrument: frozen, typed, each checked by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from functools import cached_property
from itertools import groupby
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from stocktake.definitions import Part


def _score(value: object) -> object:
    # Equal steps such as 20/3 have no exact decimal; the file writes them as they are.
    if isinstance(value, str) and "/" in value:
        try:
            return float(Fraction(value))
        except (ValueError, ZeroDivisionError):
            return value
    return value


Score = Annotated[
    float,
    BeforeValidator(_score),
    Field(ge=0, le=10),
    WithJsonSchema({"type": ["number", "string"], "description": "0 to 10, or a fraction such as 20/3"}),
]


# Codes fit 32 bits, which every statistics program's whole numbers do, and -2**31 marks a missing answer.
OptionCode = Annotated[int, Field(gt=-(2**31), lt=2**31)]
Year = Annotated[int, Field(ge=1900, le=2200)]
# The counts hold an answer in 16 bits; the limit is far above any known question and far below what they hold.
MOST_OPTIONS = 1_000


class Option(Part):
    """One answer to a question: its code in the data, its label and its score (none: not scored)."""

    code: OptionCode
    label: str
    score: Score | None = None


class Route(Part):
    """Where an answer sends the respondent: everything between the question and the target is passed over."""

    answers: tuple[int, ...] = Field(min_length=1)
    skip_to: str


class Question(Part):
    """One question or sub-item as the data hold it, in the questionnaire's order."""

    code: str
    text: str = ""
    short: str = ""
    stem: str = ""
    section: str | None = None
    scale: str | None = None
    options: tuple[Option, ...] = Field((), max_length=MOST_OPTIONS)
    routes: tuple[Route, ...] = ()
    comparable: dict[Year, str] = Field(
        default_factory=dict, description="Earlier years that can be compared, each with the code used then"
    )
    base: str = "Answered by all."
    excluded: str = Field("", description="Whose answers are not scored, as a sentence")
    inferred: str = Field("", description="What in this entry is deduced rather than read")

    @property
    def scored(self) -> bool:
        return any(option.score is not None for option in self.options)

    @property
    def unsure_wording(self) -> bool:
        """Whether the wording itself, and not only the options, is deduced."""
        return "wording" in self.inferred.lower()

    @property
    def label(self) -> str:
        """The wording, or the code shown plainly where no wording is known."""
        if not self.text:
            return self.code
        return f"{self.stem} {self.text}" if self.stem else self.text

    @property
    def answers(self) -> int:
        """How many answer codes the counts hold: one for each option, and 0 for missing."""
        return len(self.options) + 1


class Section(Part):
    """A group of questions whose scores are averaged."""

    code: str
    title: str = ""
    number: int = Field(ge=0, le=10_000)


class DemographicOption(Part):
    """One category; `cell` false means that it cannot be used for standardisation."""

    code: OptionCode
    label: str
    cell: bool = True
    from_: int | None = Field(None, alias="from", description="lowest whole number in the band")
    to: int | None = Field(None, description="highest whole number in the band")


class Demographic(Part):
    """A characteristic of respondents: a coded answer, or a number cut into bands."""

    code: str
    title: str
    column: str = Field("", description="column in both files; default: the code")
    question: str = ""
    kind: Literal["coded", "number"] = "coded"
    options: tuple[DemographicOption, ...] = Field(max_length=MOST_OPTIONS)
    from_sample: bool = Field(False, description="use the sample file where the questionnaire has no answer")
    show: bool = True

    @property
    def name(self) -> str:
        return self.column or self.code


class Group(Part):
    """A service group: the value in the sample file, what reports call it, and what they say of it."""

    code: str
    title: str
    value: int | str
    report: Literal["full", "questions", "scores"] = Field(
        "full",
        description="full: sections, questions and change; questions: no sections; scores: scores alone, not compared",
    )
    left_out: tuple[str, ...] = Field((), description="questions withheld for every organisation in this group")
    note: str = Field("", description="why the group has less than a full report, as a sentence")

    @property
    def compared(self) -> bool:
        return self.report != "scores"


class Columns(Part):
    """The names of the columns that are not questions."""

    respondent: str = "respondent"
    organisation: str = "organisation"
    outcome: str = "outcome"
    group: str = "service"
    contact_date: str = "contact_date"


class Outcomes(Part):
    """The sample file's outcome codes (recalled from older surveys' instructions, so a setting)."""

    useable: tuple[int, ...] = (1,)
    undeliverable: tuple[int, ...] = (2,)
    died: tuple[int, ...] = (3,)
    other: tuple[int, ...] = (4, 5, 6)

    @property
    def all(self) -> tuple[int, ...]:
        return self.useable + self.undeliverable + self.died + self.other


class Eligibility(Part):
    """Who may be in the survey."""

    age_from: int | None = None
    age_to: int | None = None
    contact_from: date | None = None
    contact_to: date | None = None


class Source(Part):
    """A place where readers find more: what is there, and its address."""

    text: str
    address: str = Field(pattern=r"^https?://")


class Method(Part):
    """Every choice in the calculation that a survey centre may set; method.md says where each comes from."""

    cap: float | None = Field(
        5.0, gt=0, allow_inf_nan=False, description="largest standardisation weight; null for none"
    )
    minimum_base: int = Field(
        30, ge=1, le=100_000, description="fewer scored answers than this and a score is withheld"
    )
    minimum_answers: int = Field(5, ge=0, le=1_000, description="a questionnaire with fewer answers is not useable")
    maximum_rejected: float = Field(0.05, ge=0, le=1, description="a larger share of rows set aside blocks the run")
    routed_past: Literal["set aside", "keep"] = "set aside"
    unclassified: Literal["sample file", "leave out"] = Field(
        "sample file", description="what is used for a category that has no standardisation cell"
    )
    group_reference: Literal["own", "all"] = Field(
        "own", description="standardise a service group to its own respondents or to all"
    )
    standard_error: Literal["linearised", "classical"] = "linearised"
    correction: Literal["none", "design", "stratum"] = Field(
        "none", description="factor on the variance: none, N/(N-1) or n/(n-1) of the organisation"
    )
    winsorise: float = Field(0.1, ge=0, lt=0.5, description="share of z-scores drawn in at each end")
    percentile: Literal["weibull", "linear", "hazen", "median_unbiased"] = "weibull"
    zero_spread: Literal["unbanded", "between"] = Field(
        "unbanded", description="an organisation whose answers do not vary at all"
    )
    draws: int = Field(1000, ge=0, le=100_000, description="resamples behind the probability of each band; 0 for none")
    seed: int = Field(2024, ge=0, lt=2**63, description="where the resampling begins")
    false_discovery: float | None = Field(
        None, gt=0, lt=1, description="share of false findings tolerated among an organisation's results; null for none"
    )
    change_test: Literal["z", "t"] = "z"
    change_level: float = Field(0.95, gt=0, lt=1)
    change_reference: Literal["own", "common"] = Field(
        "own", description="each wave standardised to its own respondents, or both to this year's"
    )


class Survey(Part):
    """One survey as it was asked: everything that scoring, comparing and telling need to know of it."""

    code: str
    title: str
    year: Year
    programme: str = ""
    programme_about: str = Field("", description="what the programme is and who runs it, in a sentence or more")
    people: str = Field("service users", description="what respondents are called in sentences")
    person: str = "service user"
    organisation_word: str = "trust"
    population: str = ""
    sampling_period: str = ""
    fieldwork: str = ""
    eligibility: Eligibility = Eligibility()
    columns: Columns = Columns()
    outcomes: Outcomes = Outcomes()
    scales: dict[str, tuple[Option, ...]] = Field(default_factory=dict)
    sections: tuple[Section, ...]
    questions: tuple[Question, ...] = Field(min_length=1)
    demographics: tuple[Demographic, ...] = ()
    groups: tuple[Group, ...] = ()
    cells: tuple[str, ...] = Field((), description="demographics whose combinations are standardised")
    method: Method = Method()
    bands: tuple[str, str, str, str, str, str, str] = (
        "Much worse than expected",
        "Worse than expected",
        "Somewhat worse than expected",
        "About the same",
        "Somewhat better than expected",
        "Better than expected",
        "Much better than expected",
    )
    sources: tuple[Source, ...] = Field((), description="where readers find more")
    inferred: tuple[str, ...] = Field((), description="everything in this file that is deduced rather than read")

    @cached_property
    def scored(self) -> tuple[Question, ...]:
        """The questions that belong to a section, in section order, then questionnaire order."""
        order = {section.code: i for i, section in enumerate(self.sections)}
        return tuple(sorted((q for q in self.questions if q.section is not None), key=lambda q: order[q.section or ""]))

    @cached_property
    def by_code(self) -> Mapping[str, Question]:
        return {question.code: question for question in self.questions}

    @cached_property
    def by_section(self) -> Mapping[str, tuple[Question, ...]]:
        """The scored questions of each section that has any."""
        return {code or "": tuple(own) for code, own in groupby(self.scored, key=lambda q: q.section)}

    def members(self, section: str) -> tuple[Question, ...]:
        """The scored questions of a section."""
        return self.by_section.get(section, ())

    def section(self, code: str) -> Section:
        return next(s for s in self.sections if s.code == code)

    def demographic(self, code: str) -> Demographic:
        return next(d for d in self.demographics if d.code == code)

    @cached_property
    def cell_labels(self) -> tuple[str, ...]:
        """The standardisation cells in the counts' order: the product of the cell variables' usable options."""
        labels = [""]
        for variable in self.cells:
            options = [o.label for o in self.demographic(variable).options if o.cell]
            labels = [f"{left}, {o}" if left else o for left in labels for o in options]
        return tuple(labels)

    def label(self, measure: str) -> str:
        """A measure's wording: the question, the section's title, or the code itself."""
        if measure in self.by_code:
            return self.by_code[measure].label
        for section in self.sections:
            if section.code == measure:
                return section.title or section.code
        return measure
