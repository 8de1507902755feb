"""Independent checks: R's survey package on the same respondents, and a worked example by hand."""

from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from helpers import small_survey
from stocktake.survey.scores import score
from stocktake.survey.tables import open_table
from stocktake.survey.wave import read_wave
from stocktake.survey.weights import standardise

R_SCRIPT = """
suppressMessages(library(survey))
d <- read.csv("data.csv")
for (design in c("design", "stratum")) {
  d$one <- 1
  des <- if (design == "design") svydesign(ids=~1, weights=~w, data=d) else svydesign(ids=~1, strata=~organisation, weights=~w, data=d)
  for (q in c("x1", "x2", "x3")) {
    s <- svyby(as.formula(paste0("~", q)), ~organisation, des, svymean, na.rm=TRUE)
    cat(sprintf("%s,%s,%s,%.17g,%.17g\\n", design, q, s$organisation, s[[q]], s$se), sep="")
  }
}
"""


def _r_is_here() -> bool:
    if shutil.which("Rscript") is None:
        return False
    return subprocess.run(["Rscript", "-e", "library(survey)"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("correction", ["design", "stratum"])
def test_means_and_standard_errors_equal_r(tmp_path: Path, correction: str) -> None:
    """R's svyby(svymean) gives our means, and with the factor of its design our standard errors, to 1e-9."""
    if not _r_is_here():
        pytest.skip("needs R with its survey package: apt-get install r-cran-survey")
    rng = np.random.default_rng(7)
    survey = small_survey({"S01": [3, 3, 4]}, cells=4)
    size, codes = 900, [f"T{i}" for i in range(6)]
    frame = pl.DataFrame(
        {
            "organisation": rng.choice(codes, size),
            "kind": rng.choice([1, 2, 3, 4], size, p=[0.4, 0.3, 0.2, 0.1]),
            **{f"Q{k}": rng.integers(1, 4 + (k == 3), size) for k in (1, 2, 3)},
        }
    ).with_columns(
        *(pl.when(pl.Series(rng.random(size) < 0.15)).then(None).otherwise(c).alias(c) for c in ("Q1", "Q2", "Q3"))
    )
    method = survey.method.model_copy(update={"correction": correction, "cap": None})
    wave = read_wave(survey, 2024, tuple(codes), open_table(frame), None, method)
    assert wave.counts is not None
    scored = score(wave.counts, survey, method, second_pass=wave.second_pass)
    weight = scored.weights.values[[codes.index(c) for c in frame["organisation"]], frame["kind"].to_numpy() - 1]
    points = {
        f"x{k}": frame[f"Q{k}"].replace_strict(
            {o.code: o.score for o in survey.by_code[f"Q{k}"].options}, return_dtype=pl.Float64
        )
        for k in (1, 2, 3)
    }
    pl.DataFrame({"organisation": frame["organisation"], "w": weight, **points}).write_csv(
        tmp_path / "data.csv", null_value="NA"
    )
    (tmp_path / "run.R").write_text(R_SCRIPT)
    out = subprocess.run(["Rscript", "run.R"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    checked = 0
    for line in out.splitlines():
        design, question, code, mean, error = line.split(",")
        if design == correction:
            i, j = codes.index(code), int(question[1]) - 1
            assert scored.estimates.value[i, j] == pytest.approx(float(mean), rel=1e-9)
            assert scored.estimates.standard_error[i, j] == pytest.approx(float(error), rel=1e-9)
            checked += 1
    assert checked == 18


def test_a_worked_example_by_hand() -> None:
    """Two trusts, two cells; the example of the method page.

    T0 has 3 people of kind 1 and 1 of kind 2, T1 has 1 and 3: half of all are of each kind.
    Weights in T0: 0.5/0.75 = 2/3 for kind 1 and 0.5/0.25 = 2 for kind 2.
    Answers in T0: 10, 5, 0 (kind 1) and 10 (kind 2).
    Score: (2/3*10 + 2/3*5 + 2/3*0 + 2*10) / (2/3*3 + 2) = 30/4 = 7.5.
    Deviations: 2.5, -2.5, -7.5, 2.5; squared and times w2: (4/9)(6.25 + 6.25 + 56.25) + 4*6.25 = 30.5556 + 25;
    over W2 = 16: 3.47222; standard error 1.86339.
    """
    survey = small_survey({"S01": [3]}, cells=2)
    frame = pl.DataFrame(
        {
            "organisation": ["T0"] * 4 + ["T1"] * 4,
            "kind": [1, 1, 1, 2, 1, 2, 2, 2],
            "Q1": [3, 2, 1, 3, 1, 2, 3, 3],
        }
    )
    weights = standardise(np.array([[3, 1], [1, 3]]))
    assert weights.values[0].tolist() == pytest.approx([2 / 3, 2])
    wave = read_wave(survey, 2024, ("T0", "T1"), open_table(frame), None, survey.method)
    assert wave.counts is not None
    found = score(wave.counts, survey, second_pass=wave.second_pass).estimates
    assert found.value[0, 0] == pytest.approx(7.5)
    assert found.standard_error[0, 0] == pytest.approx(math.sqrt((4 / 9 * 68.75 + 25) / 16))
    # A section of one question is that question.
    assert found.value[0, 1] == found.value[0, 0]
    assert found.standard_error[0, 1] == pytest.approx(found.standard_error[0, 0])


def test_the_cap_and_empty_cells() -> None:
    """One person of kind 2 in a trust of ten, where half of all are of kind 2: 0.5/0.1 = 5, capped at 3."""
    weights = standardise(np.array([[9, 1], [0, 8]]), cap=3.0)
    assert weights.values[0, 1] == 3
    assert weights.capped.tolist() == [[False, True], [False, False]]
    assert weights.empty.tolist() == [[False, False], [True, False]]
    assert standardise(np.array([[9, 1], [1, 9]]), cap=None).values[0, 1] == pytest.approx(5)
