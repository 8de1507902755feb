"""The commands that count where the data are, and add where the benchmark is; no logic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stocktake.cli.common import Folder, output, progress


def count(
    folder: Folder,
    *,
    out: Annotated[
        Path | None, Parameter(help="The folder for the files; counts/ in the survey's own unless given.")
    ] = None,
    minimum_cell: Annotated[
        int | None,
        Parameter(
            help="Merge standardisation cells of fewer respondents than this with the nearest, and say what it does to scores."
        ),
    ] = None,
    reference: Annotated[
        Path | None, Parameter(help="A counts file whose mix of people is taken to say what merging does to scores.")
    ] = None,
) -> None:
    """Count a survey's respondents where they are, into files that `combine` adds elsewhere; one a wave."""
    from stocktake.run.counting import count_folder

    console = output()
    with progress("counting") as advance:
        made = count_folder(folder, out, minimum_cell=minimum_cell, reference=reference, progress=advance)
    for path, part in made:
        console.print(
            f"{path}: {len(part.present())} organisations, {part.counts.respondents.sum():,} people of {part.year}"
        )
        if part.coarsened is not None:
            told = part.coarsened
            console.print(
                f"  {told.people} people of {told.cells} cells below {told.minimum} were moved to the nearest cells; no score of a "
                f"question moves by more than {told.largest:.2f} ({told.reference})."
            )
    console.print("These files are confidential: no small number is withheld in them.")


def combine(out: Path, *files: Path) -> None:
    """Add counts files of one wave, of different organisations, into one that survey.yaml may name in place of responses.

    Parameters
    ----------
    out
        The file to write.
    files
        The files that `count` made.
    """
    from stocktake.run.counting import combine_files

    console = output()
    total = combine_files(out, files)
    console.print(
        f"{out}: {len(total.present())} organisations, {total.counts.respondents.sum():,} people of {total.year}"
    )
    console.print(f"In survey.yaml: waves: [{{year: {total.year}, counts: {out.name}}}]")
