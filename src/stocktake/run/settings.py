"""survey.yaml: what belongs to one run, read and checked."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from stocktake.definitions import Part, located, mistakes, read_text, read_yaml
from stocktake.disclosure.rules import Rules
from stocktake.problems import StocktakeError, nearest
from stocktake.survey.engines import Engine
from stocktake.survey.instrument import Method, Survey, Year, load
from stocktake.survey.tables import is_address


class DatabaseQuery(Part):
    """A query of a database in place of a file."""

    database: str = Field(
        min_length=1,
        description="a DuckDB file, a PostgreSQL address, or env:NAME for one in a variable of the environment",
    )
    query: str = Field(min_length=1, description="a SELECT that gives one row a person")


def _kind(given: Any) -> str:
    return "query" if isinstance(given, (dict, DatabaseQuery)) else "file"


# Told apart by what is given, so that a mistake is said of the one that was meant.
Given = Annotated[Annotated[str, Tag("file")] | Annotated[DatabaseQuery, Tag("query")], Discriminator(_kind)]


class WaveFiles(Part):
    """The files of one wave, relative to the folder; or folders of Parquet files, addresses, or queries."""

    year: Year
    responses: Given | None = None
    sample: Given | None = None
    counts: str | None = Field(
        None, description="a file that `count` or `combine` made, in place of responses and sample"
    )
    organisations: str | None = Field(None, description="the wave's own list, where it differs from this year's")
    expected_sample: int | None = Field(None, ge=0)
    comments: str | None = Field(None, description="what people wrote: columns organisation and comment")

    def file(self, role: str) -> str | None:
        """The file or folder beside survey.yaml that has a role; none for an address, a query, or nothing."""
        given = getattr(self, role)
        return given if isinstance(given, str) and not is_address(given) else None

    @model_validator(mode="after")
    def _one_source(self) -> WaveFiles:
        if (self.responses is None) == (self.counts is None):
            raise ValueError("has responses or counts, one of the two")
        if self.counts is not None and (self.sample is not None or self.expected_sample is not None):
            raise ValueError("has counts, which hold what the sample file says; expected no sample beside them")
        return self


class Incomparable(Part):
    """An organisation that has no history, and the sentence printed in its place."""

    organisation: str
    year: Year
    kind: Literal["merged", "excluded", "not comparable"]
    reason: str = Field(min_length=1)
    predecessors: tuple[str, ...] = Field((), description="codes of those that it was formed of, in that year's list")


class Update(Part):
    """A day on which the site changed, for its feed."""

    date: date
    text: str = Field(min_length=1)


class Publishing(Part):
    """What a site says of itself, and where it will stand."""

    address: str = Field("", pattern=r"^(https?://[^\s?#]+)?$", description="where the site will stand, without a page")
    publisher: str = Field("", description="who publishes the site")
    licence: str = Field("", description="on which terms the figures may be used")
    licence_address: str = Field("", pattern=r"^(https?://\S+)?$")
    feedback: str = Field(
        "", pattern=r"^((https?://|mailto:)\S+)?$", description="where readers say what is wrong or missing"
    )
    updates: tuple[Update, ...] = Field((), description="for the feed, the latest first")


class SiteSettings(Publishing):
    """The same of a survey's site, with what its search knows besides."""

    places: str | None = Field(None, description="a CSV file of places: columns place and organisation")


class Settings(Part):
    """survey.yaml: what belongs to one run."""

    instrument: str
    organisations: str = "organisations.csv"
    waves: tuple[WaveFiles, ...] = ()
    workbook: str | None = None
    not_comparable: tuple[Incomparable, ...] = ()
    engine: Engine = Field("local", description="where respondents are counted: on this machine, or on Apache Spark")
    settings: dict[str, Any] = Field(default_factory=dict, description="overrides of the instrument's method")
    contact: str = Field("", description="how readers reach the trusts' survey lead; left out where empty")
    contacts: dict[str, str] = Field(default_factory=dict, description="the same for one organisation, by code")
    theme: str | None = None
    themes: str | None = Field(None, description="a file of themes for comments; the program's own unless given")
    disclosure: Rules = Rules()
    show_values: bool = Field(False, description="findings repeat what the files hold; for one's own machine alone")
    site: SiteSettings = SiteSettings()
    poster_actions: int = Field(
        0, ge=0, le=6, description="empty lines on the poster for what the organisation will do"
    )
    notice: str = Field("", description="a line printed on the cover, the first page, the poster and every foot")

    @property
    def disclosure_rules(self) -> Rules | None:
        """The rules of disclosure control; None for a published workbook, whose figures are public already."""
        return None if self.workbook is not None else self.disclosure


def settings_of(values: dict[str, Any]) -> Settings:
    """Settings from values in memory; raises StocktakeError with every problem."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise StocktakeError(
            [f"{'.'.join(map(str, place))}: {message}" for place, message in mistakes(error)]
        ) from None


def read_settings(folder: Path) -> Settings:
    """Read survey.yaml; raises StocktakeError with file, line and field of every problem."""
    path = folder / "survey.yaml"
    if (folder / "audit.yaml").is_file() and not path.is_file():
        raise StocktakeError(f"{folder}: this folder holds an audit; see `stocktake audit` and `stocktake report`.")
    if not path.is_file():
        raise StocktakeError(f"{path}: no such file; `stocktake new INSTRUMENT DIR` makes one.")
    data, lines = read_yaml(read_text(path), str(path))
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise StocktakeError(located(mistakes(error), lines, str(path))) from None


def load_instrument(settings: Settings, folder: Path | None) -> Survey:
    """The run's instrument: a library code, or a file beside survey.yaml, with the run's own settings laid over it."""
    return with_settings(load(instrument_source(settings.instrument, folder)), settings)


def instrument_source(name: str, folder: Path | None) -> str | Path:
    """Where an instrument is: a file of that name beside survey.yaml, else the library's code."""
    local = None if folder is None else folder / name
    return local if local is not None and local.is_file() else name


def with_settings(survey: Survey, settings: Settings) -> Survey:
    """An instrument with the run's own settings laid over its method; raises StocktakeError for one it does not know."""
    unknown = sorted(set(settings.settings) - set(Method.model_fields))
    if unknown:
        known = list(Method.model_fields)
        raise StocktakeError([f"survey.yaml, settings: no setting {n!r}.{nearest(n, known)}" for n in unknown])
    try:
        method = Method.model_validate({**survey.method.model_dump(), **settings.settings})
    except ValidationError as error:
        raise StocktakeError(
            [
                f"survey.yaml, settings.{e['loc'][0]}: {e['msg'][0].lower()}{e['msg'][1:]}, found {e['input']!r}."
                for e in error.errors()
            ]
        ) from None
    return survey.model_copy(update={"method": method})
