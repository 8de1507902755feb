"""Problems with an input: one clear sentence each, all reported at once."""

from __future__ import annotations

from collections.abc import Sequence


class StocktakeError(Exception):
    """An input cannot be used; carries one sentence for each problem found.

    The command line prints the sentences and ends with exit status 2.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))

    def __reduce__(self) -> tuple[type[StocktakeError], tuple[tuple[str, ...]]]:
        # A report that fails in a worker process must arrive here with its sentences.
        return (type(self), (self.problems,))


class BlockedError(StocktakeError):
    """The data were read, but findings block the run of honest results (exit status 1)."""


def nearest(name: str, candidates: Sequence[str]) -> str:
    """Return ' Did you mean …?' for the candidate most like name, or nothing."""
    import difflib

    match = difflib.get_close_matches(name.casefold(), [c.casefold() for c in candidates], n=1, cutoff=0.6)
    if not match:
        return ""
    found = next(c for c in candidates if c.casefold() == match[0])
    return f" Did you mean {found!r}?"
