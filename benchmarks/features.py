"""What peers can do and cannot, each cell found by running something: a verdict without evidence is not printed.

An expression is Python, or R for R's package survey, and must come out true for the verdict to stand. Of Stocktake the
evidence is a test, by name.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent / "tests"
PEERS = ("Stocktake", "R survey", "svy", "statsmodels", "pandas", "polars")

# Five people of two organisations; the last of each left y blank.
PEOPLE = {"g": ["a", "a", "a", "b", "b"], "w": [1.0, 2.0, 1.0, 3.0, 1.0], "x": [1.0, 2.0, 5.0, 3.0, 4.0]}
R_PEOPLE = """
suppressPackageStartupMessages(library(survey))
f <- data.frame(g=c("a","a","a","b","b"), w=c(1,2,1,3,1), x=c(1,2,5,3,4), y=c(2,4,NA,1,NA))
d <- svydesign(ids=~1, weights=~w, data=f)
named <- function(words) any(grepl(words, ls("package:survey"), ignore.case=TRUE))
"""


@dataclass(frozen=True)
class Cell:
    """A verdict (yes, no, or in few words what there is instead) and what was run for it."""

    verdict: str
    evidence: str


def yes(evidence: str) -> Cell:
    return Cell("yes", evidence)


def no(evidence: str) -> Cell:
    return Cell("no", evidence)


def unnamed(words: str) -> dict[str, Cell]:
    """That no peer has anything named by these words."""
    python = f"not named(%s, {words!r})"
    return {"R survey": no(f"!named({words!r})")} | {p: no(python % p) for p in PEERS[2:]}


FEATURES: tuple[tuple[str, Mapping[str, Cell]], ...] = (
    (
        "Weighted means of organisations with design-based standard errors, in one call",
        {
            "Stocktake": yes("tests/properties/test_against_oracle.py::test_scores_and_errors"),
            "R survey": yes("all(SE(svyby(~x, ~g, d, svymean)) > 0)"),
            "svy": yes("sample.estimation.mean('x', by='g').to_polars()['se'].min() > 0"),
            "statsmodels": Cell(
                "of frequencies", "DescrStatsW(x, weights=10 * w).std_mean < DescrStatsW(x, weights=w).std_mean / 3"
            ),
            "pandas": no("'weights' not in parameters(pandas.DataFrame.mean)"),
            "polars": no("'weights' not in parameters(polars.Expr.mean)"),
        },
    ),
    (
        "Standardisation to a common mix of respondents",
        {
            "Stocktake": yes("tests/properties/test_against_oracle.py::test_scores_and_errors"),
            "R survey": yes('exists("svystandardize")'),
            "svy": yes("callable(sample.weighting.standardize)"),
            "statsmodels": no("not named(statsmodels, 'poststrat|standardize_to|rake')"),
            "pandas": no("not named(pandas, 'poststrat|standardi|rake')"),
            "polars": no("not named(polars, 'poststrat|standardi|rake')"),
        },
    ),
    (
        "Error of a mean of several questions, with the people who left one blank",
        {
            "Stocktake": yes("tests/properties/test_against_oracle.py::test_scores_and_errors"),
            "R survey": Cell(
                "without them", "abs(coef(svymean(~x+y, d, na.rm=TRUE))[['x']] - coef(svymean(~x, d))[['x']]) > 0.01"
            ),
            "svy": no("isinstance(sample.estimation.mean(['x', 'w']), list)"),
            "statsmodels": no("not named(statsmodels, 'domain|svymean|svycontrast')"),
            "pandas": no("not named(pandas, 'standard_error')"),
            "polars": no("not named(polars, 'standard_error|^sem$')"),
        },
    ),
    (
        "Expected ranges of organisations, with overdispersion",
        {
            "Stocktake": yes("tests/properties/test_against_oracle.py::test_expected_range_and_suppression"),
            **unnamed("funnel|overdispers|expected_range"),
        },
    ),
    (
        "Test of change between two waves",
        {
            "Stocktake": yes("tests/properties/test_against_oracle.py::test_change"),
            "R survey": yes('exists("svyttest")'),
            "svy": yes("callable(sample.categorical.ttest)"),
            "statsmodels": Cell(
                "of frequencies", "callable(CompareMeans(DescrStatsW(x, w), DescrStatsW(x, w)).ttest_ind)"
            ),
            "pandas": no("not named(pandas, 'ttest|t_test')"),
            "polars": no("not named(polars, 'ttest|t_test')"),
        },
    ),
    (
        "Small numbers withheld, and what could be worked out from the rest",
        {
            "Stocktake": yes("tests/disclosure/test_attack.py::test_a_group_withheld_alone_is_found_by_subtraction"),
            **unnamed("suppress|disclos|withhold"),
        },
    ),
    (
        "Wrong codes and rows named by file, row and column",
        {
            "Stocktake": yes("tests/survey/test_intake.py::test_a_code_that_no_option_has_is_never_a_position"),
            **unnamed("codebook|finding|wrong_code"),
            "svy": Cell("of the design", "callable(sample.check)"),
        },
    ),
    (
        "More data than memory",
        {
            "Stocktake": yes("tests/survey/test_intake.py::test_large_tables_are_read_again_rather_than_kept"),
            "R survey": Cell("in a database", '"dbtype" %in% names(formals(getS3method("svydesign", "character")))'),
            "svy": no("isinstance(svy.Sample(frame.lazy(), svy.Design(wgt='w')).data, polars.DataFrame)"),
            "statsmodels": no("not named(statsmodels, 'chunk|stream|out_of_core')"),
            "pandas": Cell("by hand", "'chunksize' in parameters(pandas.read_csv)"),
            "polars": yes("frame.lazy().select(polars.col('x').mean()).collect(engine='streaming').item() == 3"),
        },
    ),
    (
        "Counts of several places that add to the whole, byte for byte",
        {
            "Stocktake": yes("tests/survey/test_counted.py::test_counts_in_blocks_of_organisations"),
            **unnamed("federat|combine_counts"),
        },
    ),
    (
        "Reports, slides, workbooks and an accessible site for every organisation",
        {"Stocktake": yes("tests/pages/"), **unnamed("pptx|to_pdf|make_report|make_site")},
    ),
    (
        "Clusters, replicate weights, calibration",
        {
            "Stocktake": no("not {'clusters', 'replicates', 'calibration'} & set(Method.model_fields)"),
            "R survey": yes('exists("svrepdesign") && exists("calibrate")'),
            "svy": yes("callable(sample.weighting.calibrate) and 'psu' in parameters(svy.Design)"),
            "statsmodels": no("not named(statsmodels, 'replicate_weights|calibrate$')"),
            "pandas": no("not named(pandas, 'replicate|calibrat')"),
            "polars": no("not named(polars, 'replicate_w|calibrat')"),
        },
    ),
    (
        "Regression",
        {
            "Stocktake": no("not named(stocktake, 'regress|glm')"),
            "R survey": yes('exists("svyglm")'),
            "svy": yes("callable(sample.glm.fit)"),
            "statsmodels": Cell("without the design", "callable(statsmodels.GLM) and not named(statsmodels, 'svyglm')"),
            "pandas": no("not named(pandas, 'regress|glm')"),
            "polars": no("not named(polars, '^regress|glm')"),
        },
    ),
)


def checked() -> tuple[list[tuple[str, dict[str, Cell]]], list[str]]:
    """The table with the cells whose evidence came out true, and a sentence for each that did not or could not be run."""
    names = _names()
    r = _by_r([c.evidence for _, cells in FEATURES for p, c in cells.items() if p == "R survey"])
    table, problems = [], []
    for feature, cells in FEATURES:
        row: dict[str, Cell] = {}
        for peer, cell in cells.items():
            try:
                stands = _stands(peer, cell, names, r)
            except Exception as error:
                stands = None
                problems.append(
                    f"{peer}, {feature}: {cell.evidence} could not be run ({type(error).__name__}: {error})."
                )
            if stands:
                row[peer] = cell
            elif stands is False:
                problems.append(f"{peer}, {feature}: {cell.evidence} is not true.")
        table.append((feature, row))
    return table, problems


def _stands(peer: str, cell: Cell, names: Mapping[str, Any], r: Mapping[str, bool]) -> bool:
    if peer == "R survey":
        return r[cell.evidence]
    if cell.evidence.startswith("tests/"):
        path, _, test = cell.evidence.partition("::")
        place = TESTS.parent / path
        return place.is_dir() or (place.is_file() and f"def {test}" in place.read_text("utf-8"))
    return bool(eval(cell.evidence, dict(names)))


def _names() -> dict[str, Any]:
    """What the expressions in Python speak of."""
    import inspect
    import pkgutil
    import re

    import numpy as np
    import pandas
    import polars
    import statsmodels.api
    import svy
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW  # type: ignore[import-untyped]

    import stocktake
    from stocktake.survey.instrument import Method

    frame = polars.DataFrame(PEOPLE)
    sample = svy.Sample(frame, svy.Design(wgt="w"))
    searched = {
        id(pandas): (pandas, pandas.DataFrame, pandas.Series, pandas.core.groupby.DataFrameGroupBy),
        id(polars): (polars, polars.DataFrame, polars.LazyFrame, polars.Expr),
        id(svy): (svy, svy.Sample, sample.estimation, sample.weighting, sample.wrangling, sample.categorical),
        id(statsmodels.api): (statsmodels.api, statsmodels.api.stats, DescrStatsW),
        id(stocktake): (stocktake,),
    }

    def named(package: Any, words: str) -> bool:
        """Whether a package has anything that is named by these words, in what it offers or among its modules."""
        offered = [n for place in searched[id(package)] for n in dir(place) if not n.startswith("_")]
        root = stocktake if package is stocktake else package
        modules = [m.name for m in pkgutil.iter_modules(getattr(root, "__path__", []))]
        return any(re.search(words, n, re.IGNORECASE) for n in (*offered, *modules))

    return {
        "pandas": pandas,
        "polars": polars,
        "svy": svy,
        "statsmodels": statsmodels.api,
        "stocktake": stocktake,
        "Method": Method,
        "DescrStatsW": DescrStatsW,
        "CompareMeans": CompareMeans,
        "frame": frame,
        "sample": sample,
        "x": np.array(PEOPLE["x"]),
        "w": np.array(PEOPLE["w"]),
        "named": named,
        "parameters": lambda f: inspect.signature(f).parameters,
    }


def _by_r(expressions: list[str]) -> dict[str, bool]:
    """Which expressions R finds true; an empty answer where there is no R with its package survey."""
    if shutil.which("Rscript") is None:
        return {}
    lines = [f"cat(isTRUE(tryCatch({e}, error=function(e) FALSE)), '\\n')" for e in expressions]
    script = R_PEOPLE + "\n".join(lines)
    done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True)
    if done.returncode:
        return {}
    said = done.stdout.split()
    return {e: s == "TRUE" for e, s in zip(expressions, said, strict=True)}
