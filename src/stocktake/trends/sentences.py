"""Sentences whose figures are references, and the claims that must hold for a sentence to be printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

PLACE = re.compile(r"\{([^{}]*)\}")
_YEAR = r"first|last|before|(?:19|20)\d\d"
_REFERENCE = re.compile(
    rf"(?:(?P<line>[a-z][a-z0-9_]*)@)?(?P<begin>{_YEAR})(?:\.\.(?P<end>{_YEAR}))?(?:\.(?P<what>lowest|highest|mean|people))?"
)
_CHANGE = re.compile(rf"(?P<name>\S+) (?P<verb>rose|fell|unchanged) (?P<begin>{_YEAR})\.\.(?P<end>{_YEAR})")
_LEVEL = re.compile(rf"(?P<name>\S+) (?P<verb>highest|lowest) (?P<begin>{_YEAR})")
_BOUND = re.compile(rf"(?P<name>\S+) (?P<verb>above|below) (?P<other>\S+) (?P<begin>{_YEAR})")

# What a sentence says of a direction or an order; such a sentence needs a claim.
DIRECTION = re.compile(
    r"\b(rose|rise[ns]?|rising|fell|fall(?:s|en|ing)?|increas\w*|decreas\w*|declin\w*|gr(?:ew|ow\w*)|improv\w*|worsen\w*|"
    r"better|worse|higher|lower|highest|lowest|most|least|fewe[rs]t?|more|less|majority|unchanged|steady|stayed|soar\w*|plung\w*|"
    r"doubl\w*|halv\w*|drop(?:s|ped|ping)?|clim(?:b|bs|bed|bing)|peak\w*|common(?:er|est)|rare[rst]+)\b",
    re.IGNORECASE,
)
# A figure that was typed: a number with its unit. Years, and the ends of a scale, have none.
TYPED = re.compile(
    r"\d[\d.,]*\s?(?:%|per cent|percent\b|percentage points?|points?\b)|"
    r"\b(?:one|two|three|four|nine) (?:in|out of) (?:\w+)|\b(?:a |one[ -]|two[ -]|three[ -])?(?:half|thirds?|quarters?|fifths?|tenths?)\b",
    re.IGNORECASE,
)

Verb = Literal["rose", "fell", "unchanged", "highest", "lowest", "above", "below"]
GRAMMAR = (
    "'NAME rose|fell|unchanged YEAR..YEAR', 'NAME highest|lowest YEAR' or 'NAME above|below NAME-or-per-cent YEAR', "
    "a year being 2017, first, before or last"
)


@dataclass(frozen=True)
class Reference:
    """A figure that a sentence refers to: of a line (empty: the page's first), in a year or from one to another.

    `what`: empty for the percentage, or between two years for the change in percentage points; `lowest`, `highest` and
    `mean` of the years from one to the other; `people` for the base. Without a line and `what` it is the year itself.
    `problem` says what is wrong with it, if anything.
    """

    text: str
    line: str = ""
    begin: str = ""
    end: str = ""
    what: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Claim:
    """What must be so for a sentence to be true."""

    text: str
    name: str
    verb: Verb
    begin: str
    end: str = ""
    other: str = ""

    @property
    def bound(self) -> float | None:
        """The percentage that a line is claimed to be above or below; None where the other side is a line."""
        return float(self.other) if self.other[:1].isdigit() else None

    @property
    def names(self) -> tuple[str, ...]:
        """The lines that the claim is about."""
        return (self.name, self.other) if self.other and self.bound is None else (self.name,)


def pieces(text: str) -> list[str | Reference]:
    """A sentence as words and references, in order."""
    out: list[str | Reference] = []
    at = 0
    for match in PLACE.finditer(text):
        out += [text[at : match.start()]] if match.start() > at else []
        out.append(reference_of(match[1]))
        at = match.end()
    return out + ([text[at:]] if at < len(text) else [])


def reference_of(words: str) -> Reference:
    """A reference from what stands between the braces."""
    match = _REFERENCE.fullmatch(words.strip())
    if match is None:
        return Reference(words, problem=f"{{{words}}} is no reference; expected such as {{name@2017}} or {{last}}.")
    found = {k: v or "" for k, v in match.groupdict().items()}
    problem = ""
    if not found["line"] and (found["end"] or found["what"]):
        problem = f"{{{words}}} lacks a line; expected such as {{name@{words}}}."
    elif found["what"] in ("lowest", "highest", "mean") and not found["end"]:
        problem = f"{{{words}}} is of one year; expected such as {{name@first..last.{found['what']}}}."
    elif found["what"] == "people" and found["end"]:
        problem = f"{{{words}}} is of several years; expected one year for the number of people."
    return Reference(words, **found, problem=problem)


def claim_of(words: str) -> Claim | str:
    """A claim from its words, or what is wrong with them."""
    for pattern in (_CHANGE, _LEVEL, _BOUND):
        match = pattern.fullmatch(" ".join(words.split()))
        if match is not None:
            found = match.groupdict()
            other = found.get("other") or ""
            if other[:1].isdigit() and not re.fullmatch(r"\d{1,3}(\.\d+)?", other):
                break
            return Claim(words, found["name"], found["verb"], found["begin"], found.get("end") or "", other)  # type: ignore[arg-type]
    return f"{words!r} is no claim; expected {GRAMMAR}."


def undeclared_directions(text: str, claimed: bool) -> Iterator[str]:
    """What a sentence says that could become untrue without anybody noticing."""
    words = PLACE.sub("", text)
    if "{" in words or "}" in words:
        yield "a brace is open or closed alone; references stand between two, such as {name@last}."
    for match in TYPED.finditer(words):
        yield f"the figure {match[0]!r} is typed; refer to it, such as {{name@last}}."
    found = DIRECTION.search(words)
    if found is not None and not claimed:
        yield f"it says {found[0]!r} and claims nothing; add under holds {GRAMMAR}."
