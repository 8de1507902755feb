"""The picture that stands for a site where its address is shared."""

from __future__ import annotations

from stocktake.render.pdf import font_folders, quoted
from stocktake.render.theme import Theme

# As wide and high as those who show such pictures ask for.
WIDTH, HEIGHT = 1200, 630


def card_bytes(title: str, many: int, word: str, theme: Theme) -> bytes:
    """A picture (PNG) of the site's name and what it compares."""
    import typst

    source = (
        f'#set page(width: {WIDTH}pt, height: {HEIGHT}pt, margin: 80pt, fill: rgb("{theme.accent}"))\n'
        f'#set text(font: {quoted(theme.font)}, fill: white, size: 34pt)\n#v(1fr)\n#text(size: 62pt, weight: "bold", {quoted(title)})\n\n'
        f"#{quoted(f'How people rate the care of {many:,} {word}s, question by question, with what is beyond chance.')}\n#v(1fr)\n"
    )
    compiler = typst.Compiler(input=source.encode(), font_paths=font_folders(theme), ignore_system_fonts=True)  # type: ignore[misc]
    png = compiler.compile(format="png", ppi=72)
    assert isinstance(png, bytes)
    return png
