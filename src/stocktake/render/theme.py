"""Colours, fonts and logo: the plain theme, or a user's own file."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from stocktake.definitions import Part, located, mistakes, read_text, read_yaml
from stocktake.problems import StocktakeError

HEX = r"^#[0-9A-Fa-f]{6}$"
# Lines of a scale, and the edges of areas: the same in every theme.
GRID, OUTLINE = "#D5DADE", "#5B6873"
# A drawing narrower than this, in points, is for a phone.
NARROW = 400.0
# Marks that say the band without colour: triangles up for better, down for worse, one to three.
MARKS = {1: -3, 2: -2, 3: -1, 4: 0, 5: 1, 6: 2, 7: 3}


class Theme(Part):
    """A look: every field has a default, so that a theme file names only what differs.

    `band_colours` run from much worse to much better. `font_folder` and `logo` (SVG or PNG, with
    `logo_alt` to say what it shows) are relative to the theme file.
    """

    accent: str = Field("#005A9C", pattern=HEX)
    ink: str = Field("#1B2733", pattern=HEX)
    soft: str = Field("#4C5B69", pattern=HEX)
    own: str = Field("#000000", pattern=HEX)
    average: str = Field("#6B2C91", pattern=HEX)
    band_colours: tuple[str, str, str, str, str, str, str] = (
        "#B34A00",
        "#E88A2E",
        "#FCE08A",
        "#DDE2E6",
        "#BFE5BF",
        "#63B56B",
        "#14682B",
    )
    font: str = "Liberation Sans"
    font_folder: str | None = None
    logo: str | None = None
    logo_alt: str = ""
    folder: Path | None = Field(None, exclude=True)


def load_theme(path: Path) -> Theme:
    """Read a theme file; raises StocktakeError with every problem, line and field."""
    if not path.is_file():
        raise StocktakeError(f"{path}: no such theme file.")
    data, lines = read_yaml(read_text(path), str(path))
    if data is not None and not isinstance(data, dict):
        raise StocktakeError(f"{path}, line 1: expected fields such as accent, each with its value.")
    try:
        theme = Theme.model_validate({**(data or {}), "folder": path.parent})
    except ValidationError as error:
        raise StocktakeError(located(mistakes(error), lines, str(path))) from None
    problems = [
        f"{path}, {field}: no such file or folder {name!r}."
        for field, name in (("logo", theme.logo), ("font_folder", theme.font_folder))
        if name is not None and not (path.parent / name).exists()
    ]
    if theme.logo and not theme.logo_alt:
        problems.append(f"{path}, logo_alt: say what the logo shows, for readers who cannot see it.")
    if problems:
        raise StocktakeError(problems)
    return theme


def ink_on(colour: str) -> str:
    """Black or white, whichever has more contrast on a colour (WCAG relative luminance)."""
    return "#FFFFFF" if contrast(colour, "#FFFFFF") >= contrast(colour, "#000000") else "#000000"


def contrast(one: str, other: str) -> float:
    """The WCAG contrast ratio of two colours."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
