"""The rule that every code from outside must pass, and how a code becomes the name of a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from stocktake.problems import StocktakeError

LONGEST = 60
ALLOWED = "_-."
# Names that Windows keeps for devices, with any ending, and those that a web server gives a meaning.
RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"{d}{i}" for d in ("com", "lpt") for i in "123456789¹²³"), "index", "all"]
)
EXPECTED = f"letters and figures, with {', '.join(repr(c) for c in ALLOWED)} inside, at most {LONGEST}"


def code_problem(code: str) -> str:
    """What is wrong with a code, as the end of a sentence; empty where nothing is.

    A code is made of letters and figures of any script in composed form (NFKC), with hyphens, underscores and full
    stops between them, so that it is a file name on every system and never looks like another one.
    """
    if not code:
        return f"the code is empty; expected {EXPECTED}."
    if len(code) > LONGEST:
        return f"{code[:20]!r}... has {len(code)} characters; expected {EXPECTED}."
    strange = next((c for c in code if not c.isalnum() and c not in ALLOWED), None)
    if strange is not None:
        name = unicodedata.name(strange, f"U+{ord(strange):04X}").lower()
        return f"{code!r} has the character {name}; expected {EXPECTED}."
    if unicodedata.normalize("NFKC", code) != code:
        return f"{code!r} is written with combining or compatibility characters; expected it in composed form (NFKC)."
    if code[0] in ALLOWED or code[-1] in ALLOWED:
        return f"{code!r} begins or ends with {code[0] if code[0] in ALLOWED else code[-1]!r}; expected {EXPECTED}."
    if code.casefold().split(".")[0] in RESERVED:
        return f"{code!r} is a reserved name; choose another."
    return ""


def folded(code: str) -> str:
    """A code as systems see it that ignore case: two codes that fold alike cannot both be used."""
    return unicodedata.normalize("NFKC", code.casefold())


def repeated(codes: Iterable[str]) -> list[tuple[int, str, str]]:
    """Codes that repeat an earlier one when case is ignored: position, code, and the earlier code."""
    seen: dict[str, str] = {}
    out = []
    for i, code in enumerate(codes):
        key = folded(code)
        if key in seen:
            out.append((i, code, seen[key]))
        else:
            seen[key] = code
    return out


def file_name(code: str, ending: str = "") -> str:
    """The name of the file that belongs to a code; raises StocktakeError for a code that breaks the rule."""
    problem = code_problem(code)
    if problem:
        raise StocktakeError(f"code: {problem}")
    return f"{code}{ending}"
