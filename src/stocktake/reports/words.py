"""Figures and lists as readers see them."""

from __future__ import annotations

from stocktake.rounding import as_shown, rounded

__all__ = ["as_shown", "listed", "per_cent", "plural", "rounded"]


def listed(words: list[str]) -> str:
    """'a, b and c'."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def plural(count: int, one: str, many: str | None = None) -> str:
    return one if count == 1 else many or f"{one}s"


def signed(value: float, places: int) -> str:
    """A difference with its sign; one that rounds to nothing has none."""
    text = rounded(value, places)
    return text if value <= 0 or not float(text) else f"+{text}"


def level_words(level: float) -> str:
    """The level of a test or interval as a percentage."""
    return f"{100 * level:g}%"


def size_words(size: int) -> str:
    """The size of a file of so many bytes."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1000))} kB"


def per_cent(value: float | None) -> str:
    """A percentage to the whole per cent; what is more than none is never shown as 0%."""
    if value is None:
        return "-"
    return "under 1%" if 0 < value < 0.5 else f"{rounded(value, 0)}%"
