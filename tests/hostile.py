"""A survey whose names and labels try to be anything but text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import yaml

from helpers import small_survey
from stocktake.survey.instrument import DemographicOption, Group, Method

LONG = "An exceedingly long name of a partnership of many parts " * 6
NAMES = {
    "T0": "=1+1|cmd' /C calc'!A0",
    "T1": "@SUM(1,2) & Sons",
    "T2": "<script>alert('x')</script>",
    "T3": "Quote \" and ' and `tick` \\ #let x = 1 $y$ *b* _i_",
    "T4": "Right \u200fto\u200e left \u202eback\u202c and forth",
    "T5": LONG[:300].strip(),
    "T6": "+44 {{ 7*7 }} {% raw %} ]]> --> </style>",
}
LABEL = "=HYPERLINK(\"http://example.invalid\") <img src=x onerror=alert(1)> {{7*7}} 'quoted'"


def write_hostile(folder: Path) -> Path:
    """Write the survey to a folder, ready to be benchmarked: seven organisations, two groups, two years."""
    survey = small_survey({"S01": [3, 3], "S02": [4]}, method=Method(minimum_base=20, minimum_answers=0, draws=20))
    questions = [survey.questions[0].model_copy(update={"text": LABEL, "short": LABEL}), *survey.questions[1:]]
    sections = [survey.sections[0].model_copy(update={"title": LABEL}), *survey.sections[1:]]
    kind = survey.demographics[0]
    options = (DemographicOption(code=1, label=LABEL), *kind.options[1:])
    groups = (
        Group(code="A", title=f"Group {LABEL}", value="A"),
        Group(code="B", title="B", value="B", report="scores"),
    )
    survey = survey.model_copy(
        update={
            "questions": tuple(questions),
            "sections": tuple(sections),
            "demographics": (kind.model_copy(update={"options": options, "title": LABEL}),),
            "groups": groups,
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    data = survey.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    (folder / "own.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    rng = np.random.default_rng(11)
    for year in (2024, 2023):
        tables = []
        for k, code in enumerate(NAMES):
            size = 60 + 10 * k
            tables.append(
                pl.DataFrame(
                    {
                        "respondent": [f"{year}-{k}-{i}" for i in range(size)],
                        "organisation": [code] * size,
                        "service": ["A" if i % 3 else "B" for i in range(size)],
                        "kind": rng.integers(1, 3, size),
                        "Q1": rng.integers(1, 4, size),
                        "Q2": rng.integers(1, 4, size),
                        "Q3": rng.integers(1, 5, size),
                    }
                )
            )
        pl.concat(tables).write_csv(folder / f"{year}.csv")
    pl.DataFrame({"code": list(NAMES), "name": list(NAMES.values())}).write_csv(folder / "organisations.csv")
    settings = {
        "instrument": "own.yaml",
        "contact": LABEL,
        "notice": LABEL,
        "waves": [{"year": y, "responses": f"{y}.csv"} for y in (2024, 2023)],
    }
    (folder / "survey.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    return folder
