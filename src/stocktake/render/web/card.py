"""The picture that stands for a site where its address is shared."""

from __future__ import annotations

from stocktake.render.pdf import font_folders, quoted
from stocktake.render.theme import Theme

# As wide and high as those who show such pictures ask for.
WIDTH, HEIGHT = 1200, 630


def about_card(many: int, word: str) -> str:
    """What a site of a survey compares, for its picture."""
    return f"How people rate the care of {many:,} {word}s, question by question, with what is beyond chance."


def card_bytes(title: str, about: str, theme: Theme) -> bytes:
    """A picture (PNG) of a site's name and a sentence about it."""
    import typst

    source = (
        f'#set page(width: {WIDTH}pt, height: {HEIGHT}pt, margin: 80pt, fill: rgb("{theme.accent}"))\n'
        f'#set text(font: {quoted(theme.font)}, fill: white, size: 34pt)\n#v(1fr)\n#text(size: 62pt, weight: "bold", {quoted(title)})\n\n'
        f"#{quoted(about)}\n#v(1fr)\n"
    )
    compiler = typst.Compiler(input=source.encode(), font_paths=font_folders(theme), ignore_system_fonts=True)  # type: ignore[misc]
    png = compiler.compile(format="png", ppi=72)
    assert isinstance(png, bytes)
    return png
