"""Documents of a collection: the data packs."""
