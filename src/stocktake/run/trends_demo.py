"""The demo of trends: a simulated history of thirteen years, in three surveys, with its site."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stocktake.files import write_file, writing
from stocktake.problems import StocktakeError
from stocktake.run.folder import demo_folder, organisations_file
from stocktake.run.pool import on_every_core
from stocktake.run.trends import TrendRun, make_trend_results
from stocktake.trends.definition import FILE
from stocktake.trends.simulate import BEFORE_FORMED, FORMED, FORMED_IN, demo_file, instrument, simulate_year

MARK = "# Trends of a simulated history: no figure here is a real one."
HISTORY = {"2012-2013": (2012, 2013), "2014-2022": tuple(range(2014, 2023))}
NOW = "2023-2024"


@dataclass(frozen=True)
class TrendDemo:
    """What the demo made, and where to look."""

    run: TrendRun
    site: Path


def make_trend_demo(folder: Path, say: Callable[[str], None]) -> TrendDemo:
    """Simulate a history, compute its trends, and make the site."""
    from stocktake.run.trend_site import make_trend_site

    settings = folder / FILE
    if settings.exists() and not settings.read_text("utf-8", "replace").startswith(MARK):
        raise StocktakeError(f"{settings} already exists and is not a demo's; choose another folder with --out.")
    say("Simulating thirteen years of a survey of invented trusts...")
    history_folder(folder)
    say("Counting answers, by year and group...")
    run = make_trend_results(folder)
    shares = run.results.tables["shares"]
    say(
        f"{run.results.tables['series']['series'].n_unique()} series, {shares.height:,} percentages: {folder / 'results'}"
    )
    for sentence in run.untrue:
        say(f"  {sentence}")
    return TrendDemo(run, make_trend_site(folder))


def history_folder(folder: Path, seed: int = 2024, latest: Path | None = None) -> None:
    """Write the simulated surveys of all years to a folder, with trends.yaml.

    `latest` is a folder that has the demo's survey of the latest two years already, to be copied.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if latest is not None:
        shutil.copytree(latest, folder / NOW)
    with writing(folder):
        jobs = [("now", folder, NOW, 0, seed)] if latest is None else []
        jobs += [("year", folder, name, year, seed) for name, years in HISTORY.items() for year in years]
        for _, result in on_every_core(_one, jobs):
            if isinstance(result, StocktakeError):
                raise result
        for name, years in HISTORY.items():
            own = folder / name
            write_file(own / "instrument.yaml", demo_file(f"{name}.yaml"))
            write_file(own / "survey.yaml", _survey_yaml(name, years))
        write_file(folder / FILE, demo_file("trends.yaml"))


def _one(what: str, folder: Path, name: str, year: int, seed: int) -> None:
    if what == "now":
        demo_folder(folder / name, seed)
        return
    made = simulate_year(instrument(f"{name}.yaml"), year, seed)
    own = folder / name / str(year)
    write_file(own / "responses.parquet", lambda path: made.responses.write_parquet(path))
    write_file(own / "sample.parquet", lambda path: made.sample.write_parquet(path))
    organisations_file(made.organisations, own / "organisations.csv")


def _survey_yaml(name: str, years: tuple[int, ...]) -> str:
    waves = "".join(
        f"  - {{year: {y}, responses: {y}/responses.parquet, sample: {y}/sample.parquet, organisations: {y}/organisations.csv}}\n"
        for y in reversed(years)
    )
    formed = ""
    if years[0] < FORMED_IN <= years[-1]:
        names = " and ".join(o.name for o in BEFORE_FORMED)
        codes = ", ".join(o.code for o in BEFORE_FORMED)
        formed = "not_comparable:\n" + "".join(
            f'  - {{organisation: {FORMED}, year: {y}, kind: merged, reason: "This trust was formed in {FORMED_IN} from {names}.", predecessors: [{codes}]}}\n'
            for y in years
            if y < FORMED_IN
        )
    return (
        f"{MARK}\ninstrument: instrument.yaml\nnotice: Invented data. No figure here is a real trust's.\n"
        f"organisations: {years[-1]}/organisations.csv\nwaves:\n{waves}{formed}"
    )
