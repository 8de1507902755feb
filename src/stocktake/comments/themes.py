"""Themes by keywords: a codebook that anybody can read and change, and what it finds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stocktake.codes import code_problem, repeated
from stocktake.definitions import Part, Problem, located, read_text, validated
from stocktake.problems import StocktakeError


class Theme(Part):
    """One theme: its code, what readers call it, the words that belong to it, and phrases that do not."""

    code: str
    title: str = Field(min_length=1)
    words: tuple[str, ...] = Field(min_length=1)
    not_: tuple[str, ...] = Field((), alias="not")

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return _pattern(self.words)

    @cached_property
    def excluded(self) -> re.Pattern[str] | None:
        return _pattern(self.not_) if self.not_ else None

    def found_in(self, text: str) -> bool:
        """Whether a comment is about the theme: one of its words is left once what is excluded is taken out."""
        kept = text if self.excluded is None else self.excluded.sub(" ", text)
        return self.pattern.search(kept) is not None


class Codebook(Part):
    """The themes that comments are counted by."""

    title: str = ""
    themes: tuple[Theme, ...] = Field(min_length=1, max_length=100)


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    """Any of some words or phrases, whole, whatever their case; an asterisk stands for any ending."""
    parts = []
    for word in words:
        pieces = [re.escape(p) for p in word.removesuffix("*").split()]
        parts.append(r"\s+".join(pieces) + (r"\w*" if word.endswith("*") else ""))
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE)


def library_codebook() -> Codebook:
    """The codebook that comes with the program."""
    return parse_codebook((resources.files("stocktake.comments") / "themes.yaml").read_text("utf-8"), "themes.yaml")


def load_codebook(path: Path) -> Codebook:
    """Read a codebook; raises StocktakeError with file, line and field of every problem."""
    if not path.is_file():
        raise StocktakeError(f"{path}: no such file of themes.")
    return parse_codebook(read_text(path), str(path))


def parse_codebook(text: str, file: str) -> Codebook:
    """A codebook from its text; see `load_codebook`."""
    found, lines = validated(Codebook, text, file, "title and themes")
    codes = [t.code for t in found.themes]
    problems: list[Problem] = []
    for i, theme in enumerate(found.themes):
        problem = code_problem(theme.code)
        if problem:
            problems.append((("themes", i, "code"), problem))
        for field, words in (("words", theme.words), ("not", theme.not_)):
            for j, word in enumerate(words):
                if not word.strip("* "):
                    problems.append((("themes", i, field, j), f"{word!r} holds no word."))
                elif "*" in word[:-1]:
                    problems.append(
                        (("themes", i, field, j), f"{word!r} has an asterisk inside; expected one at its end.")
                    )
    problems += [(("themes", i, "code"), f"{code!r} repeats {earlier!r}.") for i, code, earlier in repeated(codes)]
    if problems:
        raise StocktakeError(located(problems, lines, file))
    return found


@dataclass(frozen=True)
class ThemeCounts:
    """Comments by organisation and theme, which of them are withheld, and how many comments each organisation has."""

    organisations: tuple[str, ...]
    themes: tuple[Theme, ...]
    count: NDArray[np.int64]
    hidden: NDArray[np.bool_]
    comments: NDArray[np.int64]


def count_themes(
    codebook: Codebook, organisations: Sequence[str], comments: Sequence[tuple[str, str]], minimum: int
) -> ThemeCounts:
    """Count comments, given as (organisation, text), by theme; one may belong to several.

    A count of 1 to `minimum` less one is withheld, and with it the smallest others of the theme until none of them follows
    from the total of all: any of k withheld counts may then be from 1 to their sum less (k - 1), which is at least
    `minimum` wide.
    """
    place = {code: i for i, code in enumerate(organisations)}
    count = np.zeros((len(organisations), len(codebook.themes)), dtype=np.int64)
    every = np.zeros(len(organisations), dtype=np.int64)
    for organisation, text in comments:
        i = place[organisation]
        every[i] += 1
        for t, theme in enumerate(codebook.themes):
            count[i, t] += theme.found_in(text)
    hidden = (count > 0) & (count < minimum)
    for t in range(count.shape[1]):
        while hidden[:, t].any():
            left = np.flatnonzero(~hidden[:, t] & (count[:, t] > 0))
            many, total = int(hidden[:, t].sum()), int(count[hidden[:, t], t].sum())
            if (many > 1 and total >= many + minimum) or not left.size:
                break
            hidden[left[np.argmin(count[left, t])], t] = True
    return ThemeCounts(tuple(organisations), codebook.themes, count, hidden, every)


def safe_total(counts: ThemeCounts, theme: int, minimum: int) -> bool:
    """Whether the total of a theme may be printed beside the counts that are shown."""
    hidden = counts.hidden[:, theme]
    many, total = int(hidden.sum()), int(counts.count[hidden, theme].sum())
    return not many or (many > 1 and total >= many + minimum)
