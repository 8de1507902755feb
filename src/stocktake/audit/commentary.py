"""Commentary as data: sentences whose every figure is a reference to a result, such as {A3.mean} or {B7.england.generic}."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from stocktake.audit.figures import ALL, parts
from stocktake.audit.specification import Specification
from stocktake.definitions import Part, Problem, located, read_text, validated
from stocktake.problems import StocktakeError, nearest

SUMMARY = (
    "mean", "median", "lowest", "highest", "lower_quartile", "upper_quartile", "p10", "p90", "fold", "fold_inner", "n", "asked",
)  # fmt: skip
WHATS = (*SUMMARY, "england", "total", "own")
PLACE = re.compile(r"\{([^{}]*)\}")
# A figure in words that is not part of a name such as NHS 111, a year, or "100,000 people".
TYPED = re.compile(r"(?<![\w.])(?:£\s?)?\d[\d,.]*(?:\s?%)?(?![\w])")
ALLOWED = re.compile(r"(?:19|20)\d\d|100,000|1,000", re.ASCII)


class Commentary(Part):
    """The sentences of a collection's packs."""

    summary: tuple[str, ...] = Field((), description="what is most important, for the page after the contents")
    conclusions: tuple[str, ...] = Field((), description="what readers may do next, for the last chapter")
    indicators: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="sentences beside one display")

    def sentences(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every sentence with its place in the file."""
        for field in ("summary", "conclusions"):
            for i, text in enumerate(getattr(self, field)):
                yield (field, i), text
        for code, texts in self.indicators.items():
            for i, text in enumerate(texts):
                yield ("indicators", code, i), text


class Reference(NamedTuple):
    """A figure that a sentence refers to: the indicator, which figure, and the part."""

    indicator: str
    what: str
    part: str


def split(text: str) -> list[str | Reference]:
    """A sentence as words and references, in order."""
    out: list[str | Reference] = []
    at = 0
    for match in PLACE.finditer(text):
        out += [text[at : match.start()]] if match.start() > at else []
        code, _, rest = match[1].partition(".")
        what, _, part = rest.partition(".")
        out.append(Reference(code, what, part))
        at = match.end()
    return out + ([text[at:]] if at < len(text) else [])


def library_commentary(spec: Specification) -> Commentary:
    """The sentences that come with a specification of the library; none for another."""
    path = resources.files("stocktake.audit") / "sentences" / f"{spec.code}.yaml"
    return parse_commentary(path.read_text("utf-8"), f"{spec.code}.yaml", spec) if path.is_file() else Commentary()


def load_commentary(path: Path, spec: Specification) -> Commentary:
    """Read a file of sentences; raises StocktakeError with every reference to what there is not."""
    if not path.is_file():
        raise StocktakeError(f"{path}: no such file of commentary.")
    return parse_commentary(read_text(path), str(path), spec)


def parse_commentary(text: str, file: str, spec: Specification) -> Commentary:
    """Sentences from the text of a file; see `load_commentary`."""
    found, lines = validated(Commentary, text, file, "summary, conclusions and indicators")
    problems: list[Problem] = [
        (("indicators", code), f"no indicator {code!r}.{nearest(code, list(spec.indicator))}")
        for code in found.indicators
        if code not in spec.indicator
    ]
    for place, sentence in found.sentences():
        problems += [
            (place, p) for piece in split(sentence) if isinstance(piece, Reference) for p in _wrong(piece, spec)
        ]
    if problems:
        raise StocktakeError(located(problems, lines, file))
    return found


def _wrong(piece: Reference, spec: Specification) -> Iterator[str]:
    indicator = spec.indicator.get(piece.indicator)
    if indicator is None:
        yield f"no indicator {piece.indicator!r}.{nearest(piece.indicator, list(spec.indicator))}"
        return
    if piece.what not in WHATS:
        yield f"no figure {piece.what!r}; expected {', '.join(WHATS)}.{nearest(piece.what, WHATS)}"
    known = {"/".join(p) for p in parts(spec, indicator)}
    if piece.part not in known and not (not piece.part and "" in known):
        expected = f"one of its parts, such as {ALL!r}" if known != {""} else "none"
        yield f"{piece.indicator} has no part {piece.part!r}; expected {expected}."


def typed_figures(commentary: Commentary) -> Iterator[tuple[str, str]]:
    """Figures that were typed into a sentence rather than referred to: the place of the sentence, and the figure."""
    for place, sentence in commentary.sentences():
        for match in TYPED.finditer(PLACE.sub("", sentence)):
            if not ALLOWED.fullmatch(match[0].rstrip(".,")):
                yield ".".join(map(str, place)), match[0].rstrip(".,")
