"""The fingerprint of results: another one for other inputs, settings or versions, and not for another Python."""

from __future__ import annotations

import pytest

from stocktake.results import Results

FACTS = {
    "survey": "a",
    "instrument_sha256": "b",
    "inputs": {"responses": "c"},
    "settings": {"cap": 5},
    "run": {"waves": []},
    "waves": [1],
    "versions": {"polars": "2"},
}


def test_the_python_that_ran_does_not_matter() -> None:
    assert len({Results({}, {**FACTS, "python": v}).digest for v in ("3.11", "3.12")}) == 1
    assert len(Results({}, FACTS).digest) == 16


@pytest.mark.parametrize("name", FACTS)
def test_everything_else_does(name: str) -> None:
    assert Results({}, {**FACTS, name: "other"}).digest != Results({}, FACTS).digest
