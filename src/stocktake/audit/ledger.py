"""The ledger of a collection: who sent what and when, and who signed it off; lines are added and never changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stocktake.problems import StocktakeError

Event = Literal["received", "refused", "signed off"]
# What the first line follows.
FIRST = "0" * 64


@dataclass(frozen=True)
class Line:
    """One event: when (UTC), which file (name and SHA-256), whose it is, and a remark or the name of whoever signed."""

    number: int
    when: str
    event: Event
    file: str
    sha256: str
    organisation: str
    template: str
    remark: str
    follows: str

    @property
    def digest(self) -> str:
        """The fingerprint of the line with all before it."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    def text(self) -> str:
        return json.dumps(self.__dict__, sort_keys=True, ensure_ascii=False)


def read_ledger(path: Path) -> list[Line]:
    """Every line of a ledger; none where there is no file.

    Raises StocktakeError where a line was changed, taken out or put in: each carries the fingerprint of the one before.
    """
    if not path.is_file():
        return []
    lines: list[Line] = []
    for number, text in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            data: Mapping[str, Any] = json.loads(text)
            line = Line(**data)
        except (ValueError, TypeError):
            raise StocktakeError(f"{path.name}, line {number}: not a line of a ledger; the file was changed.") from None
        before = lines[-1].digest if lines else FIRST
        if line.follows != before or line.number != number:
            raise StocktakeError(
                f"{path.name}, line {number}: does not follow the line before it; a line was changed, added or taken out."
            )
        lines.append(line)
    return lines


def added(
    lines: Sequence[Line],
    event: Event,
    when: str,
    *,
    file: str = "",
    sha256: str = "",
    organisation: str = "",
    template: str = "",
    remark: str = "",
) -> Line:
    """The line that is to follow others."""
    follows = lines[-1].digest if lines else FIRST
    return Line(len(lines) + 1, when, event, file, sha256, organisation, template, remark, follows)


def current(lines: Sequence[Line]) -> dict[tuple[str, str], Line]:
    """The return that counts of each organisation and template: the last that was received."""
    return {(line.organisation, line.template): line for line in lines if line.event == "received"}


def signed_off(lines: Sequence[Line]) -> dict[tuple[str, str], Line]:
    """The sign-off of each return that counts; one of an earlier return counts no longer."""
    counts = current(lines)
    return {
        (line.organisation, line.template): line
        for line in lines
        if line.event == "signed off" and counts[line.organisation, line.template].sha256 == line.sha256
    }
