"""What was asked: a survey's sections, questions, options and method, from one YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stocktake.definitions import Problem, find_definition, library_of, located, mistakes, read_yaml
from stocktake.problems import StocktakeError, nearest
from stocktake.survey.instrument_checks import cross_checks
from stocktake.survey.instrument_parts import (
    Columns,
    Demographic,
    DemographicOption,
    Eligibility,
    Group,
    Method,
    Option,
    Outcomes,
    Question,
    Route,
    Section,
    Survey,
    Year,
)

__all__ = [
    "Columns",
    "Demographic",
    "DemographicOption",
    "Eligibility",
    "Group",
    "Method",
    "Option",
    "Outcomes",
    "Question",
    "Route",
    "Section",
    "Survey",
    "Year",
    "library",
    "load",
    "parse",
]


def library() -> tuple[str, ...]:
    """The codes of the instruments that come with Stocktake."""
    return library_of("stocktake.survey")


def load(source: str | Path) -> Survey:
    """Load an instrument by its library code or from a YAML file.

    Raises StocktakeError with every problem found, each with file, line and field.
    """
    return parse(*find_definition(source, "stocktake.survey", "instrument"))


def parse(text: str, file: str) -> Survey:
    """Parse an instrument file's text; `file` names it in messages."""
    data, lines = read_yaml(text, file)
    if not isinstance(data, dict):
        raise StocktakeError(f"{file}, line 1: expected a mapping with title, sections and questions.")
    problems: list[Problem] = []
    _expand_scales(data, problems)
    try:
        survey = Survey.model_validate(data)
    except ValidationError as error:
        problems += mistakes(error)
        raise StocktakeError(located(problems, lines, file)) from None
    problems += cross_checks(survey)
    if problems:
        raise StocktakeError(located(problems, lines, file))
    return survey


def _expand_scales(data: dict[str, Any], problems: list[Problem]) -> None:
    scales = data.get("scales")
    for i, question in enumerate(data.get("questions") or []):
        if not isinstance(question, dict) or "scale" not in question:
            continue
        scale = question["scale"]
        if isinstance(scales, dict) and scale in scales:
            question.setdefault("options", scales[scale])
        else:
            known = list(scales) if isinstance(scales, dict) else []
            problems.append((("questions", i, "scale"), f"no scale named {scale!r}.{nearest(str(scale), known)}"))
