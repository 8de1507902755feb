"""Invented comments, with invented names, dates and numbers in some of them, so that screening has something to find."""

from __future__ import annotations

import numpy as np
import polars as pl

from stocktake.comments.screening import first_names
from stocktake.organisations.invented import places

# About one in thirty of those who answer writes something here.
SHARE = 0.03
SENTENCES = (
    "The staff have been kind and they listened to me.",
    "I waited far too long for my first appointment.",
    "Nobody explained the side effects of my medication.",
    "When I was in crisis the helpline never called back.",
    "I see a different person every time and have to repeat myself.",
    "The therapy helped me more than anything else.",
    "My care plan was written without me.",
    "They are short of staff and it shows.",
    "I can't wait to be well again, and I am grateful.",
    "Letters arrive after the appointment they are about.",
    "I felt respected at every visit.",
    "There was no help at all with work or money.",
)
TELLING = (
    "My nurse {name} is the reason I am still here.",
    "Dr {surname} was dismissive on {date}.",
    "Please ring me on 01632 960{digits} to talk about this.",
    "I was on {place} Ward for six weeks.",
    "I am {age} years old and have waited since {year}.",
    "write to {low}@example.org if you want to know more",
)


def simulated_comments(responses: pl.DataFrame, seed: int = 2024) -> pl.DataFrame:
    """Comments of some of the respondents, with columns respondent, organisation, question and comment."""
    rng = np.random.default_rng([seed, 41])
    known = responses.filter(~pl.col("organisation").str.ends_with("X")).unique("respondent", maintain_order=True)
    chosen = known.filter(pl.Series(rng.random(known.height) < SHARE))
    names, towns = sorted(first_names()), places()
    texts = []
    for _ in range(chosen.height):
        parts = list(rng.choice(SENTENCES, size=int(rng.integers(1, 4)), replace=False))
        if rng.random() < 0.3:
            name = str(rng.choice(names))
            parts.append(
                str(rng.choice(TELLING)).format(
                    name=name.capitalize(),
                    low=name,
                    surname=str(rng.choice(towns)),
                    place=str(rng.choice(towns)),
                    date=f"{rng.integers(1, 28)}/{rng.integers(1, 12)}/2024",
                    digits=f"{rng.integers(100, 999)}",
                    age=int(rng.integers(18, 90)),
                    year=int(rng.integers(2015, 2024)),
                )
            )
        texts.append(" ".join(str(p) for p in rng.permutation(parts)))
    question = rng.choice(["anything good", "anything to improve"], size=chosen.height)
    return chosen.select("respondent", "organisation").with_columns(
        question=pl.Series(question), comment=pl.Series(texts, dtype=pl.String)
    )
