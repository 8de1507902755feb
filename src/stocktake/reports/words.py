"""Figures and lists as readers see them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def rounded(value: float, places: int = 1) -> str:
    """The value to so many decimals, halves away from zero, never '-0.0'."""
    quantum = Decimal(1).scaleb(-places)
    shown = Decimal(repr(float(value))).quantize(quantum, ROUND_HALF_UP)
    return f"{shown + 0 if shown else abs(shown):.{places}f}"


def listed(words: list[str]) -> str:
    """'a, b and c'."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def plural(count: int, one: str, many: str | None = None) -> str:
    return one if count == 1 else many or f"{one}s"


def per_cent(value: float | None) -> str:
    """A percentage to the whole per cent; what is more than none is never shown as 0%."""
    if value is None:
        return "-"
    return "under 1%" if 0 < value < 0.5 else f"{rounded(value, 0)}%"


def as_shown(value: float, places: int = 1) -> float:
    """The figure that `rounded` shows, as a number: for charts, whose data must say what the text beside them says."""
    return float(rounded(value, places))
