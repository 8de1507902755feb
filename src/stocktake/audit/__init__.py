"""National audits: what is collected from whom, and the figures made of it."""
