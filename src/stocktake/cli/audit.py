"""The commands of an audit, and what `demo`, `benchmark` and `report` do in its folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from stocktake.cli.common import chosen, me, output, progress

audit = App(
    name="audit",
    help="National audits: forms, returns, sign-off, where a figure comes from, and contradictions in print.",
)
Collected = Annotated[Path, Parameter(help="A folder with audit.yaml.")]


@audit.command
def template(
    folder: Collected,
    *,
    organisation: Annotated[tuple[str, ...], Parameter(help="An organisation's code; may be given again.")] = (),
) -> None:
    """Write the form of every organisation that is asked (or of those named) into the folder's templates/."""
    from stocktake.run.intake import TEMPLATES, make_templates

    made = make_templates(folder, organisation or None)
    output().print(f"{len(made)} forms: {folder / TEMPLATES}")


@audit.command
def intake(
    folder: Collected,
    *,
    returns: Annotated[
        Path | None, Parameter(help="Where the returns are; the folder's returns/ unless given.")
    ] = None,
) -> None:
    """Take in returned forms: check them, enter them in the ledger, and write a list of queries for each organisation."""
    from stocktake.run.intake import QUERIES, take_in

    console = output()
    with progress("returns") as advance:
        taken = take_in(folder, returns, progress=advance)
    for sentence in taken.refused:
        print(sentence, file=sys.stderr)  # noqa: T201
    console.print(f"{taken.received} received, {len(taken.refused)} refused, {taken.known_before} known before.")
    console.print(f"{taken.organisations} of {taken.asked} organisations have answered.")
    counts: dict[str, int] = {}
    for query in taken.queries:
        counts[query.check] = counts.get(query.check, 0) + 1
    for check_, number in sorted(counts.items()):
        console.print(f"  {number:,} queries: {check_}")
    console.print(f"Query lists: {folder / QUERIES}")
    console.print(f"Next: {me()} benchmark {folder}")
    if taken.refused:
        sys.exit(1)


@audit.command
def sign(
    folder: Collected,
    organisation: str,
    *,
    by: Annotated[str, Parameter(help="Who signs off, as it is to be recorded.")],
) -> None:
    """Record in the ledger that an organisation signs its returns off as they stand."""
    from stocktake.run.intake import sign_off

    for line in sign_off(folder, organisation, by):
        output().print(f"{line.when} {line.organisation}: {line.file} signed off by {line.remark}.")


@audit.command(name="trace")
def trace_(
    indicator: str,
    organisation: str,
    folder: Collected = Path(),
    *,
    part: Annotated[str, Parameter(help="The part of a breakdown, such as generic or gp/generic.")] = "",
) -> None:
    """Show where a figure comes from: what it divides, and every cell behind it with its file."""
    from stocktake.run.trace import trace

    for line in trace(folder, indicator, organisation, part):
        output().print(line)


@audit.command
def lint(
    claims: Annotated[Path, Parameter(help="A YAML file of a publication's claims, or a folder with audit.yaml.")],
) -> None:
    """List figures that contradict each other: as printed, however they were rounded, or of a collection's own results.

    Of a folder, its specification, results and sentences are held against each other. Ends with 1 if there are any.
    """
    console = output()
    if claims.is_dir():
        from stocktake.audit.consistency import inconsistencies
        from stocktake.run.audit import open_audit

        run = open_audit(claims)
        collection = run.collection
        wrong = inconsistencies(collection.spec, run.results.tables, collection.commentary)
        for one in wrong:
            console.print(f"{one.rule}: {one.sentence}")
        console.print(f"Figures: {run.results.tables['figures'].height:,}. Contradictions: {len(wrong)}.")
        if wrong:
            sys.exit(1)
        return
    from stocktake.audit.claims import load_claims
    from stocktake.audit.lint import lint as contradictions

    given = load_claims(claims)
    found = contradictions(given)
    for one in found:
        console.print(f"{one.rule}: {one.sentence}")
    console.print(f"Claims: {len(given.claims)}. Contradictions: {len(found)}.")
    if found:
        sys.exit(1)


def audit_demo(out: Path) -> None:
    """Make the demo of an audit, and say where to look."""
    from stocktake.run.audit_demo import DEMO_AREA, make_audit_demo

    console = output()
    made = make_audit_demo(out, console.print)
    console.print("\nLook at the pack of one area first:")
    for path in made.packs:
        console.print(f"  {path}")
    console.print(f"\nThe packs of all 44 areas:   {me()} report {out} --all")
    console.print(f"Where a figure comes from:   {me()} audit trace A3 {DEMO_AREA} {out}")


def report_packs(folder: Path, organisation: Sequence[str], every: bool, given: str) -> None:
    """The data packs of an audit: those of all areas, or of the readers that are named."""
    from stocktake.problems import StocktakeError
    from stocktake.run.packs import PACK_FORMATS, make_packs

    formats = chosen("format", given, PACK_FORMATS)
    if not organisation and not every:
        raise StocktakeError("say which packs: --organisation CODE (again for more), or --all for every area.")
    console = output()
    with progress("packs") as advance:
        made = make_packs(
            folder,
            None if every else organisation,
            lambda _: advance(1),
            lambda total: advance(0, total),
            formats=formats,
        )
    fresh = sum(m.fresh for m in made)
    console.print(f"{fresh} made, {len(made) - fresh} up to date already: {folder / 'reports'}")


def audit_results(folder: Path) -> None:
    """Compute the results of an audit's folder."""
    from stocktake.run.audit import make_results

    console = output()
    tables = make_results(folder).results.tables
    received = tables["answers"]["organisation"].n_unique()
    console.print(
        f"{tables['figures'].height:,} figures from the returns of {received:,} organisations: {folder / 'results'}"
    )
    console.print(f"Next: {me()} report {folder} --all")
