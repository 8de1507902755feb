"""Where labels of a drawing stand, so that none lies over another."""

from __future__ import annotations


def apart(labels: list[tuple[float, str, str]], least: float) -> list[tuple[float, str, str]]:
    """Labels from top to bottom, each moved down until it clears the one above it."""
    out: list[tuple[float, str, str]] = []
    for at, words, colour in sorted(labels):
        out.append((max(at, out[-1][0] + least) if out else at, words, colour))
    return out


def side_by_side(marks: list[float], wide: list[float], low: float, high: float, gap: float) -> list[float]:
    """Where one or two labels of given widths begin: above their marks, apart from one another, between two ends."""
    starts = [min(max(mark - w / 2, low), high - w) for mark, w in zip(marks, wide, strict=True)]
    if len(starts) == 2 and starts[0] + wide[0] + gap > starts[1]:
        push = (starts[0] + wide[0] + gap - starts[1]) / 2
        first = min(max(starts[0] - push, low), high - wide[1] - gap - wide[0])
        starts = [first, max(first + wide[0] + gap, starts[1])]
    return starts
