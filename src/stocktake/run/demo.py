"""The demo: a simulated survey, its results, and three reports to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stocktake.run.folder import demo_folder
from stocktake.run.quality import benchmark_folder
from stocktake.run.reporting import make_reports
from stocktake.run.site import make_site
from stocktake.survey.simulate import MERGED

# An ordinary trust, one without history, and (chosen from the results) the one with most withheld scores.
DEMO_REPORTS = ("ordinary", "most withheld", "no history")


@dataclass(frozen=True)
class Demo:
    """What the demo made and where to look."""

    respondents: int
    findings: int
    measures: int
    reports: list[tuple[Path, str]]
    quality: Path | None
    site: Path


def make_demo(folder: Path) -> Demo:
    """Simulate, benchmark, write the reports of three trusts, and make the site."""
    import polars as pl

    demo_folder(folder)
    run, page = benchmark_folder(folder)
    now = run.scores.filter((pl.col("year") == run.survey.year) & (pl.col("group") == "all"))
    hidden = now.group_by("organisation").agg((pl.col("status") != "shown").sum().alias("hidden"))
    most = hidden.sort("hidden", "organisation", descending=[True, False])["organisation"][0]
    first = next(c for c in run.organisations if c not in (most, MERGED))
    codes = (first, most, MERGED)
    made = make_reports(folder, codes)
    first_page = make_site(folder)
    why = dict(
        zip(codes, ("an ordinary trust", "the trust with most withheld scores", "a trust with no history"), strict=True)
    )
    measures = now["measure"].n_unique()
    respondents = sum(w.rows - w.set_aside for w in run.counted)
    return Demo(
        respondents, run.findings.height, measures, [(m.path, why[m.organisation]) for m in made], page, first_page
    )
