"""Folders: a new one ready for one's own files, and the demo's, with a simulated survey."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from stocktake.comments.simulate import simulated_comments
from stocktake.files import write_file
from stocktake.organisations import Organisation
from stocktake.problems import StocktakeError
from stocktake.survey.instrument import Survey, load
from stocktake.survey.simulate import EXCLUDED, MERGED, PREDECESSORS, simulate, write

SURVEY_YAML = """# What belongs to this run. Paths are relative to this folder.
instrument: {instrument}
organisations: organisations.csv     # columns: code, name (and kind, region if known)
waves:
  - year: {year}
    responses: {year}/responses.csv  # or .parquet, .sav, .xlsx
    sample: {year}/sample.csv        # leave out if there is none
#  - year: {before}                   # an earlier wave, for change over time
#    responses: {before}/responses.csv
#    sample: {before}/sample.csv
#    organisations: {before}/organisations.csv   # where that year's list differs
# not_comparable:                    # each with the sentence that its report prints
#   - {{organisation: X01, year: {before}, kind: merged, reason: "This trust was formed after {before}."}}
# settings:                          # what differs from the instrument's method
#   cap: 5
# contact: "survey.lead@example.org" # printed on the poster; left out if empty
# theme: theme.yaml                  # your own logo, fonts and colours
"""

README = """# {title}

Put your files here, then run three commands in this order.

1. `organisations.csv`: one row an organisation, with columns code and name.
2. `{year}/responses.csv`: one row a respondent. Columns: {respondent}, {organisation}, the demographics
   ({demographics}) and one column a question: {questions}.
   Answers are the option codes of the instrument; blank means not answered. Parquet, SPSS (.sav) and Excel (.xlsx) files do too:
   change the name in survey.yaml.
3. `{year}/sample.csv`: one row a person invited. Columns: {respondent}, {organisation}, {outcome}{group}, and age and sex if known.

Then:

    stocktake check .         # what is wrong with the files, if anything
    stocktake benchmark .     # the results, in results/
    stocktake report . --all  # every organisation's report, in reports/
"""


def new_folder(instrument: str, folder: Path) -> list[Path]:
    """Make a folder with survey.yaml and a README ready for one's own files; nothing that is there is replaced."""
    survey = load(instrument)
    if (folder / "survey.yaml").exists():
        raise StocktakeError(f"{folder / 'survey.yaml'} already exists; choose another folder.")
    if folder.exists() and not folder.is_dir():
        raise StocktakeError(f"{folder} is a file; expected the name of a folder.")
    (folder / str(survey.year)).mkdir(parents=True, exist_ok=True)
    name = instrument if not Path(instrument).is_file() else str(Path(instrument).resolve())
    before = survey.year - 1
    made = [folder / "survey.yaml", folder / "README.md"]
    write_file(made[0], SURVEY_YAML.format(instrument=name, year=survey.year, before=before))
    write_file(made[1], _readme(survey))
    return made


def _readme(survey: Survey) -> str:
    names = survey.columns
    codes = [q.code for q in survey.questions]
    return README.format(
        title=survey.title,
        year=survey.year,
        respondent=names.respondent,
        organisation=names.organisation,
        outcome=names.outcome,
        group=f", {names.group}" if survey.groups else "",
        demographics=", ".join(d.name for d in survey.demographics),
        questions=f"{codes[0]} to {codes[-1]}",
    )


def organisations_file(organisations: tuple[Organisation, ...], path: Path) -> None:
    """Write a list of organisations as CSV."""
    rows = [(o.code, o.name, o.kind, o.region) for o in organisations]
    table = pl.DataFrame(rows, schema=["code", "name", "kind", "region"], orient="row")
    write_file(path, table.write_csv())


DEMO_MARK = "# A simulated survey with invented trusts: no figure here is a real organisation's."


def demo_folder(folder: Path, seed: int = 2024) -> None:
    """Write a simulated survey to a folder: two waves, the list of organisations, survey.yaml and what is dirty."""
    settings = folder / "survey.yaml"
    if settings.exists() and not settings.read_text("utf-8", "replace").startswith(DEMO_MARK):
        raise StocktakeError(f"{settings} already exists and is not a demo's; choose another folder with --out.")
    survey = load("cmh_2024")
    now, before = simulate(survey, seed=seed), simulate(survey, survey.year - 1, seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    write(now, folder / str(now.year))
    write_file(folder / str(now.year) / "comments.csv", simulated_comments(now.responses, seed).write_csv())
    write(before, folder / str(before.year), "responses.parquet")
    organisations_file(now.organisations, folder / "organisations.csv")
    organisations_file(before.organisations, folder / str(before.year) / "organisations.csv")
    names = " and ".join(o.name for o in PREDECESSORS)
    write_file(
        folder / "survey.yaml",
        f"""{DEMO_MARK}
instrument: cmh_2024
notice: Invented data. No figure here is a real trust's.
organisations: organisations.csv
waves:
  - year: {now.year}
    responses: {now.year}/responses.csv
    sample: {now.year}/sample.csv
    expected_sample: 1250
    comments: {now.year}/comments.csv
  - year: {before.year}
    responses: {before.year}/responses.parquet
    sample: {before.year}/sample.csv
    organisations: {before.year}/organisations.csv
not_comparable:
  - organisation: {MERGED}
    year: {before.year}
    kind: merged
    reason: "This trust was formed after {before.year} from {names}."
    predecessors: [{", ".join(o.code for o in PREDECESSORS)}]
  - organisation: {EXCLUDED}
    year: {before.year}
    kind: excluded
    reason: "This trust's {before.year} results were left out because of an error in its sample."
""",
    )
