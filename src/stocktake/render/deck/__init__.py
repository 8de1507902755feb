"""Reports as slide decks with native, editable charts."""

from stocktake.render.deck.writer import deck_bytes

__all__ = ["deck_bytes"]
