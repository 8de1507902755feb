"""Text as files can hold it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import ImageFont

# Zero-width and control characters are kept out of no name; only those that XML cannot hold become blanks.
_FORBIDDEN = dict.fromkeys([*range(0x20), 0x7F, 0xFFFE, 0xFFFF], " ")


def clean(words: str) -> str:
    """Text without the control characters that no XML file may hold, each a blank instead."""
    return words.translate(_FORBIDDEN)


def brief(words: str, most: int = 255) -> str:
    """Clean text of at most so many characters, for properties that hold no more."""
    cleaned = clean(words)
    return cleaned if len(cleaned) <= most else f"{cleaned[: most - 1]}…"


@cache
def _font() -> ImageFont.FreeTypeFont:
    # Of a thousand points, so that lengths come without the rounding to pixels.
    return ImageFont.truetype(Path(__file__).parent / "fonts" / "LiberationSans-Regular.ttf", 1000)


@cache
def text_width(words: str, size: float) -> float:
    """How wide a text in Liberation Sans is, in the unit of its size."""
    return float(_font().getlength(words)) * size / 1000
