"""A small folder of trends: two surveys of four years with a redesign between them, of six organisations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from stocktake.survey.instrument import Demographic, DemographicOption, Option, Question, Section, Survey

YES_NO = ("Yes", "No", "Don't know")
YEARS = {"old": (2014, 2015, 2016, 2017), "new": (2018, 2019)}
# Share of yes to the first question, by year, and of blank answers.
SHARES = {2014: 0.30, 2015: 0.36, 2016: 0.42, 2017: 0.50, 2018: 0.70, 2019: 0.40}


def instrument(folder: str) -> Survey:
    """The instrument of one of the surveys."""
    from helpers import small_survey

    base = small_survey({"S01": [2]}, cells=2)
    last = YEARS[folder][-1]
    options = tuple(
        Option(code=i, label=w, score=None if i == 3 else 10.0 * (i == 1)) for i, w in enumerate(YES_NO, start=1)
    )
    earlier = dict.fromkeys(YEARS[folder][:-1], "Q1")
    extra = Question(code="Q2", text=f"Something only {folder} asks?", section="S01", options=options, comparable={})
    return base.model_copy(
        update={
            "code": f"small_{folder}",
            "title": f"Small Survey {last}",
            "year": last,
            "demographics": (
                *(d.model_copy(update={"from_sample": True}) for d in base.demographics),
                Demographic(code="sex", title="Sex", options=tuple(DemographicOption(code=i, label=f"Sex {i}") for i in (1, 2, 3))),
            ),
            "sections": (Section(code="S01", number=1, title="Section one"),),
            "questions": (
                Question(code="Q1", text=f"Were you helped ({folder})?", short="help", section="S01", options=options, comparable=earlier),
                extra,
                Question(code="Q3", text="Who are you?", options=(Option(code=1, label="Me"), Option(code=2, label="Somebody else"))),
            ),
        }
    )  # fmt: skip


def write_survey(root: Path, folder: str, shares: dict[int, float], size: int = 90, *, sample: bool = True) -> None:
    """Write one survey with the shares of yes given."""
    survey = instrument(folder)
    own = root / folder
    own.mkdir(parents=True, exist_ok=True)
    (own / "instrument.yaml").write_text(
        yaml.safe_dump(survey.model_dump(mode="json", by_alias=True, exclude_defaults=True)), "utf-8"
    )
    rows = [
        "code,name,kind,region",
        *(f"T{i},Trust {i},{'acute' if i < 3 else 'other'},{'North' if i % 2 else 'South'}" for i in range(6)),
    ]
    (own / "organisations.csv").write_text("\n".join(rows) + "\n", "utf-8")
    waves = []
    for year in YEARS[folder]:
        rng = np.random.default_rng(year)
        many = size * 6
        people = pl.DataFrame(
            {
                "respondent": [f"{year}{i}" for i in range(many)],
                "organisation": [f"T{i % 6}" for i in range(many)],
                "kind": rng.choice([1, 2], many, p=[0.7, 0.3]),
                # Nobody has the third.
                "sex": np.where(np.arange(many) % 12 == 0, 2, 1),
            }
        )
        # Exactly the share, and a few who did not know.
        order = rng.permutation(many)
        answer = np.full(many, 2)
        answer[order[: round(shares[year] * many)]] = 1
        answer[order[-6:]] = 3
        table = people.with_columns(
            Q1=pl.Series(answer), Q2=pl.Series(rng.choice([1, 2, 3], many)), Q3=pl.Series(rng.choice([1, 2], many))
        )
        if year != YEARS[folder][-1]:
            table = table.drop("Q2", "Q3")
        table.write_csv(own / f"{year}.csv")
        wave: dict[str, Any] = {"year": year, "responses": f"{year}.csv"}
        if sample:
            people.with_columns(outcome=pl.lit(1)).write_csv(own / f"{year}-sample.csv")
            wave["sample"] = f"{year}-sample.csv"
        waves.append(wave)
    settings = {"instrument": "instrument.yaml", "organisations": "organisations.csv", "waves": waves}
    (own / "survey.yaml").write_text(yaml.safe_dump(settings), "utf-8")


def definition(**changes: Any) -> dict[str, Any]:
    """A trends.yaml for the two surveys, with an indicator of one line."""
    base: dict[str, Any] = {
        "title": "What people say",
        "publisher": "Somebody",
        "updated": "2026-11-01",
        "corrections": [{"date": "2026-11-02", "text": "A figure of 2014 was mended.", "indicator": "helped"}],
        "surveys": ["old", "new"],
        "breaks": [{"year": 2018, "reason": "The survey was redesigned in 2018."}],
        "series": [
            {
                "code": "help",
                "questions": {"old": "Q1", "new": "Q1"},
                "lines": [{"code": "yes", "label": "Yes", "answers": ["Yes"]}, {"code": "no", "label": "No", "answers": ["no"]}],
            }
        ],
        "indicators": [
            {
                "code": "helped",
                "title": "Are people helped?",
                "why": "It matters.",
                "lines": [
                    {"name": "yes", "series": "help", "line": "yes", "label": "Helped"},
                    {"name": "no", "series": "help", "line": "no", "label": "Not helped"},
                ],
                "sentences": [
                    {"text": "In {last}, {yes@last} were helped."},
                    {"text": "It rose from {yes@2014} to {yes@2017}, by {yes@2014..2017}.", "holds": ["yes rose 2014..2017"]},
                    {"text": "It fell by {yes@before..last} in {last}.", "holds": ["yes fell before..last"]},
                    {"text": "More were not helped than helped in 2014.", "holds": ["no above yes 2014", "yes lowest 2014", "no highest 2014", "no above 50 2014"]},
                ],
            }
        ],
    }  # fmt: skip
    return base | changes


def write_trends(root: Path, shares: dict[int, float] | None = None, **changes: Any) -> Path:
    """Write a whole folder of trends."""
    for folder in YEARS:
        write_survey(root, folder, {**SHARES, **(shares or {})})
    (root / "trends.yaml").write_text(yaml.safe_dump(definition(**changes), sort_keys=False), "utf-8")
    return root
