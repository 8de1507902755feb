"""Reports as slide decks with native, editable charts."""

from stocktake.render.deck.writer import write_deck

__all__ = ["write_deck"]
