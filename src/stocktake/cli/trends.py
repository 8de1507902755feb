"""What `demo`, `benchmark` and `site` do with trends."""

from __future__ import annotations

import sys
from pathlib import Path

from stocktake.cli.common import me, output, progress


def trends_demo(out: Path) -> None:
    """Make the demo of trends, and say where to look."""
    from stocktake.run.trends_demo import make_trend_demo

    console = output()
    made = make_trend_demo(out, console.print)
    console.print("\nLook at these pages first:")
    for indicator in made.run.settings.indicators:
        console.print(f"  {made.site.parent / 'pages' / indicator.code}.html   ({indicator.title})")
    console.print(f"\nOne year's trusts, and theirs over time:  {me()} benchmark {out / '2014-2022'}")
    console.print(f"What is said, and what must hold for it:  {out / 'trends.yaml'}")
    console.print(f"\nEverything as web pages: open {made.site} in a browser, or run {me()} serve {out}")


def trend_results(folder: Path) -> None:
    """Compute the results of a folder of trends."""
    from stocktake.run.trends import make_trend_results

    console = output()
    with progress("reading") as advance:
        run = make_trend_results(folder, advance)
    tables = run.results.tables
    console.print(
        f"{tables['series']['series'].n_unique()} series, {tables['shares'].height:,} percentages: {folder / 'results'}"
    )
    _print(run.untrue)
    console.print(f"Next: {me()} site {folder}")


def print_untrue(folder: Path) -> None:
    """Print every sentence that pages leave out because it does not hold."""
    from stocktake.run.trends import open_trends

    _print(open_trends(folder).untrue)


def _print(sentences: list[str]) -> None:
    for sentence in sentences:
        print(f"Warning: {sentence}", file=sys.stderr)  # noqa: T201
