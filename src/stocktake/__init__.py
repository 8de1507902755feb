"""Stocktake: fair comparisons between health-service organisations, and the reports they act on.

import stocktake as st

run = st.benchmark("my-survey")
run.scores
run.report("Z01").write_pdf("report.pdf")
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stocktake.problems import BlockedError, StocktakeError
    from stocktake.run.benchmark import benchmark
    from stocktake.run.core import Run, open_run
    from stocktake.run.workbook import published
    from stocktake.survey.counts import Counts, Layout
    from stocktake.survey.instrument import Survey, load
    from stocktake.survey.simulate import simulate
    from stocktake.survey.tally import count

__version__ = version("stocktake")

_PLACES = {
    "BlockedError": "stocktake.problems",
    "Counts": "stocktake.survey.counts",
    "Layout": "stocktake.survey.counts",
    "Run": "stocktake.run.core",
    "StocktakeError": "stocktake.problems",
    "Survey": "stocktake.survey.instrument",
    "benchmark": "stocktake.run.benchmark",
    "count": "stocktake.survey.tally",
    "load": "stocktake.survey.instrument",
    "open_run": "stocktake.run.core",
    "published": "stocktake.run.workbook",
    "simulate": "stocktake.survey.simulate",
}

__all__ = [
    "BlockedError",
    "Counts",
    "Layout",
    "Run",
    "StocktakeError",
    "Survey",
    "benchmark",
    "count",
    "load",
    "open_run",
    "published",
    "simulate",
]


def __getattr__(name: str) -> Any:
    # Each name is loaded when it is first used, so that `stocktake --help` does not wait for any of them.
    if name not in _PLACES:
        raise AttributeError(f"module 'stocktake' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
