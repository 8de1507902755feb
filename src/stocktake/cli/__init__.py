"""The command line: it reads arguments, calls, and prints; every heavy part is loaded by the command that needs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from stocktake.cli.audit import audit, audit_demo, audit_results, report_packs
from stocktake.cli.common import Folder, chosen, me, output, progress
from stocktake.cli.counting import combine, count
from stocktake.cli.trends import print_untrue, trend_results, trends_demo

if TYPE_CHECKING:
    from rich.console import Console

    from stocktake.run.core import Run

app = App(
    name="stocktake",
    help="Fair comparisons between health-service organisations, and the reports they act on.",
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,
)
app.command(audit)
app.command(count)
app.command(combine)


def main() -> None:
    """Run a command: exit status 2 for an input that cannot be used, 1 for findings that block."""
    from stocktake.problems import BlockedError, StocktakeError

    try:
        app()
    except BlockedError as error:
        _say_problems(error)
        sys.exit(1)
    except StocktakeError as error:
        _say_problems(error)
        sys.exit(2)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            sys.exit(0)
        print(f"{error.filename or 'a file'}: {error.strerror or error}.", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except MemoryError:
        print("There is not enough memory for this; nothing half-written was left.", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit("Stopped. Finished files are whole; run the same command to go on.")


def _say_problems(error: Exception) -> None:
    for line in str(error).splitlines():
        print(line, file=sys.stderr)  # noqa: T201


@app.command
def demo(
    what: Annotated[
        Literal["survey", "audit", "trends"],
        Parameter(help="A survey, a national audit, or trends of several surveys."),
    ] = "survey",
    *,
    out: Annotated[Path | None, Parameter(help="Where to put it; demo, demo-audit or demo-trends.")] = None,
    audit: Annotated[bool, Parameter(help="The same as `demo audit`.", negative="")] = False,
) -> None:
    """Simulate a survey, benchmark it, make the reports of three trusts and the web edition; or an audit, or trends."""
    from stocktake.run.demo import DEMO_REPORTS, make_demo

    if audit or what == "audit":
        audit_demo(out or Path("demo-audit"))
        return
    if what == "trends":
        trends_demo(out or Path("demo-trends"))
        return
    out = out or Path("demo")
    console = output()
    console.print("Simulating a survey of 53 invented trusts, this year and the year before...")
    made = make_demo(out)
    console.print(f"{made.respondents:,} respondents; {made.findings} findings in the data; {made.measures} measures.")
    console.print(f"\nLook at the reports of {len(DEMO_REPORTS)} trusts first:")
    for report, why in made.reports:
        console.print(f"  {report}   ({why})")
    console.print(f"\nThe figures behind them:       {out / 'results'}")
    console.print(f"What was found in the data:    {made.quality}")
    console.print(f"Every other trust's report:    {me()} report {out} --all")
    console.print(
        f"Decks, workbooks, posters:     {me()} report {out} --all --format pdf,pptx,xlsx,ods --edition trust,service-groups,poster,board"
    )
    console.print(f"\nEverything as web pages: open {made.site} in a browser, or run {me()} serve {out}")


@app.command
def new(instrument: str, folder: Path) -> None:
    """Make a folder ready for your own files.

    Parameters
    ----------
    instrument
        A code of the library, such as cmh_2024, or a YAML file.
    folder
        The folder to make.
    """
    from stocktake.run.folder import new_folder

    for path in new_folder(instrument, folder):
        output().print(f"wrote {path}")
    output().print(f"Read {folder / 'README.md'} next.")


@app.command
def check(folder: Folder) -> None:
    """Check a folder's files, and write the data-quality report."""
    from stocktake.run.quality import check_folder

    console = output()
    with progress("reading") as advance:
        found = check_folder(folder, advance)
    _print_findings(console, found.summary)
    console.print(f"\nThe whole report: {found.page}")
    if found.blocked:
        for sentence in found.blocked:
            print(sentence, file=sys.stderr)  # noqa: T201
        sys.exit(1)


@app.command
def benchmark(folder: Folder) -> None:
    """Compute the results of a folder, of a survey, an audit or trends, into its results/."""
    from stocktake.run.kinds import is_collection, is_trends

    console = output()
    if is_trends(folder):
        trend_results(folder)
        return
    if is_collection(folder):
        audit_results(folder)
        return
    from stocktake.run.quality import benchmark_folder

    with progress("reading") as advance:
        run, page = benchmark_folder(folder, advance)
    _print_run(console, run)
    console.print(f"\nResults:      {folder / 'results'}")
    if page is not None:
        console.print(f"Data quality: {page}")
    console.print(f"Next:         {me()} report {folder} --all")


@app.command
def percentages(
    folder: Folder,
    *,
    influence: Annotated[
        Literal["survey", "question", "none"],
        Parameter(
            help="Organisations count alike among all who answered the survey, among those of each question, or by size."
        ),
    ] = "survey",
) -> None:
    """Compute what people answered, nationally and by region and wave, weighted for those who did not answer."""
    from stocktake.run.percentages import write_percentages

    console = output()
    paths, made = write_percentages(folder, influence)
    for note in made.notes:
        console.print(note)
    for path in paths:
        console.print(f"wrote {path}")


@app.command
def comments(folder: Folder) -> None:
    """Screen what people wrote, count it by theme, and write a file in which a human decides what may be quoted."""
    from stocktake.run.comments import make_comments

    console = output()
    made = make_comments(folder)
    console.print(
        f"{made.comments:,} comments; in {made.flagged:,} something may tell who somebody is. {made.reviewed:,} were decided on, "
        f"{made.quotes:,} may be quoted."
    )
    for path in made.paths:
        console.print(f"wrote {path}")
    for warning in made.warnings:
        print(f"Warning: {warning}", file=sys.stderr)  # noqa: T201
    if made.reviewed < made.comments:
        console.print("Next: read review.csv, write approve or withhold and your name beside each, and run this again.")


@app.command
def published(
    workbook: Path,
    folder: Path,
    *,
    instrument: Annotated[str | None, Parameter(help="An instrument file or code with the wording.")] = None,
) -> None:
    """Compute results from an official published workbook (.ods or .xlsx)."""
    from stocktake.run.workbook import published_folder

    console = output()
    _print_run(console, published_folder(workbook, folder, instrument))
    console.print(f"\nResults:      {folder / 'results'}")
    console.print(f"Next:         {me()} report {folder} --all")


@app.command
def report(
    folder: Folder,
    *,
    organisation: Annotated[tuple[str, ...], Parameter(help="An organisation's code; may be given again.")] = (),
    all: Annotated[bool, Parameter(help="Every organisation.", negative="")] = False,  # noqa: A002
    format: Annotated[  # noqa: A002
        str, Parameter(help="pdf, pptx, xlsx, ods; html for the packs of an audit; several with commas.")
    ] = "pdf",
    edition: Annotated[
        str, Parameter(help="trust, service-groups, poster (PDF alone), national, method; several with commas.")
    ] = "trust",
) -> None:
    """Write reports into the folder's reports/CODE/, and national tables and the method annex into national/."""
    from stocktake.problems import StocktakeError
    from stocktake.run.documents import EDITIONS, FORMATS, NATIONAL
    from stocktake.run.kinds import is_collection, is_trends
    from stocktake.run.reporting import Made, make_national_documents, make_reports

    if is_trends(folder):
        raise StocktakeError(
            f"{folder}: this folder holds trends, whose pages are made all at once, with their PDFs, workbooks and pictures: "
            f"stocktake site {folder}"
        )
    if is_collection(folder):
        report_packs(folder, organisation, all, format)
        return
    formats = chosen("format", format, FORMATS)
    editions = chosen("edition", edition, (*EDITIONS, *NATIONAL))
    own = [e for e in editions if e in EDITIONS]
    if own and not organisation and not all:
        raise StocktakeError("say which reports: --organisation CODE (again for more), or --all.")
    console = output()
    if own:
        with progress("reports") as advance:

            def finished(made: Made) -> None:
                advance(1)

            who = None if all else organisation
            begin = lambda total: advance(0, total)  # noqa: E731
            reports = make_reports(folder, who, finished, begin, editions=own, formats=formats)
        made = reports
        there = [m for m in made if not m.missing]
        fresh = sum(m.fresh for m in there)
        console.print(f"{fresh} made, {len(there) - fresh} up to date already: {folder / 'reports'}")
        for one in there[:3]:
            console.print(f"  {one.path}")
        if len(there) > 3:
            console.print(f"  and {len(there) - 3} more")
        for why in dict.fromkeys(m.missing for m in made if m.missing):
            console.print(f"Not made for {sum(m.missing == why for m in made)}: {why}")
    for path in make_national_documents(folder, [e for e in editions if e in NATIONAL]):
        console.print(f"  {path}")
    _print_warnings(folder)


@app.command
def disclosure(folder: Folder) -> None:
    """List what of the withheld figures could be worked out from all editions together."""
    from stocktake.run.disclosure import pinned_figures

    console = output()
    found = pinned_figures(folder)
    for sentence in found.sentences:
        console.print(sentence)
    console.print(found.summary)
    if found.sentences:
        sys.exit(1)


@app.command
def site(folder: Folder) -> None:
    """Make the web edition in the folder's site/: every page, chart, table and download."""
    from stocktake.run.kinds import is_collection, is_trends

    console = output()
    trends, audit = is_trends(folder), is_collection(folder)
    if trends:
        from stocktake.run.trend_site import make_trend_site as make
    elif audit:
        from stocktake.run.audit_site import make_audit_site as make
    else:
        from stocktake.run.site import make_site as make
    with progress("pages") as advance:
        first = make(folder, advance, lambda total: advance(0, total))
    if trends:
        print_untrue(folder)
    elif not audit:
        _print_warnings(folder)
    console.print(f"Open {first} in a browser, or run {me()} serve {folder}")


@app.command
def serve(folder: Folder, *, port: Annotated[int, Parameter(help="Port on this machine.")] = 8000) -> None:
    """Show the folder's site on this machine alone, until you press Ctrl-C."""
    from stocktake.run.serve import server

    with server(folder / "site", port) as running:
        output().print(f"Open http://localhost:{running.server_port}/ in a browser. Ctrl-C ends it.")
        running.serve_forever()


@app.command
def schema(
    what: Literal[
        "instrument", "survey", "theme", "results", "specification", "claims", "audit", "commentary", "trends"
    ] = "instrument",
) -> None:
    """Print the JSON Schema of a definition file (instrument, survey.yaml, theme, specification, claims, audit.yaml, commentary, trends.yaml), or the results' columns."""
    import json

    from stocktake.run.schemas import schema_of

    print(json.dumps(schema_of(what), indent=2, ensure_ascii=False))  # noqa: T201


def _print_warnings(folder: Path) -> None:
    """What could be worked out from editions that were written all the same, as the settings allow."""
    from stocktake.run.disclosure import warnings

    for warning in warnings(folder):
        print(f"Warning: {warning}", file=sys.stderr)  # noqa: T201


def _print_findings(console: Console, summary: list[dict[str, object]]) -> None:
    from rich.table import Table

    if not summary:
        console.print("Nothing was found.")
        return
    table = Table("Year", "Check", "Found", "What was done", box=None, pad_edge=False)
    for row in summary:
        table.add_row(str(row["year"]), str(row["check"]), f"{row['findings']:,}", str(row["action"]))
    console.print(table)


def _print_run(console: Console, run: Run) -> None:
    import polars as pl

    now = run.scores.filter((pl.col("year") == run.survey.year) & (pl.col("group") == "all"))
    shown = now.filter(pl.col("status") == "shown").height
    console.print(
        f"{run.survey.title}: {len(run.organisations)} {run.survey.organisation_word}s, "
        f"{now['measure'].n_unique()} measures, {shown:,} scores shown, {now.height - shown:,} not."
    )


if __name__ == "__main__":
    main()
