"""The commands as a user gives them: what they print, write, and end with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import stocktake as st
from commands import stocktake
from stocktake.problems import BlockedError
from stocktake.results.store import read_results
from stocktake.run.site import _make_all


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; sys.argv=['stocktake','--help']\nimport stocktake.cli as c\ntry: c.main()\nexcept SystemExit: pass\n"
    code += "print([m for m in ('polars','numpy','typst','pydantic','scipy') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip().endswith("[]")
    assert "benchmark" in out


def test_new_makes_a_folder_that_check_explains(tmp_path: Path) -> None:
    made = stocktake("new", "cmh_2024", tmp_path / "mine")
    assert made.returncode == 0
    assert (tmp_path / "mine" / "survey.yaml").is_file()
    assert "stocktake check" in (tmp_path / "mine" / "README.md").read_text()
    again = stocktake("new", "cmh_2024", tmp_path / "mine")
    assert again.returncode == 2
    assert "already exists" in again.stderr
    checked = stocktake("check", tmp_path / "mine")
    assert checked.returncode == 2
    assert "organisations.csv: no such file" in checked.stderr


def test_a_misspelt_instrument(tmp_path: Path) -> None:
    made = stocktake("new", "cmh_2042", tmp_path / "mine")
    assert (made.returncode, made.stdout) == (2, "")
    assert "Did you mean 'cmh_2024'" in made.stderr


def test_an_edition_without_results_is_told_and_not_made(wordless: Path) -> None:
    done = stocktake("report", wordless, "--organisation", "RAN", "--edition", "trust,service-groups,poster")
    assert done.returncode == 0, done.stderr
    assert "1 made" in done.stdout
    assert "Not made for 1: These results have no service groups." in done.stdout
    assert "Not made for 2: There is no poster where questions have no wording" in done.stdout
    assert [p.name for p in (wordless / "reports" / "RAN").glob("*.pdf")] == [NAME]


def test_the_site_of_an_official_workbook(imported: Path) -> None:
    done = stocktake("site", imported)
    assert done.returncode == 0, done.stderr
    assert "index.html in a browser, or run" in done.stdout
    site = imported / "site"
    assert len(list((site / "trusts").glob("*.html"))) == 133
    assert len(list((site / "measures").glob("*.html"))) == 45 + 11 + 1
    assert "noise from other patients" in (site / "measures" / "Q5_1.html").read_text()
    assert not (imported / ".site.part").exists()


def test_a_page_of_a_survey_that_knows_codes_alone(wordless: Path, tmp_path: Path) -> None:
    _make_all(wordless, tmp_path, [("measure", "Q2")])
    assert "carry codes of questions, not their wording" in (tmp_path / "measures" / "Q2.html").read_text()


def test_serving_a_folder_without_a_site(tmp_path: Path) -> None:
    done = stocktake("serve", tmp_path)
    assert done.returncode == 2
    assert "no site here yet; run `stocktake site" in done.stderr


def test_findings_that_block_end_with_1(tmp_path: Path) -> None:
    _small(tmp_path, "organisation,kindd,Q1\nT1,1,1\n")
    done = stocktake("benchmark", tmp_path)
    assert done.returncode == 1
    assert "Did you mean 'kindd'" in done.stderr
    assert (tmp_path / "data_quality" / "data_quality.html").is_file()
    assert stocktake("check", tmp_path).returncode == 1
    with pytest.raises(BlockedError):
        st.benchmark(tmp_path)


NAME = "benchmark-report.pdf"

INSTRUMENT = """code: own
title: Our own survey
year: 2024
sections: [{code: S1, number: 1, title: All}]
questions:
  - {code: Q1, text: "Good?", section: S1, options: [{code: 1, label: "Yes", score: 10}, {code: 2, label: "No", score: 0}]}
demographics:
  - {code: kind, title: Kind, options: [{code: 1, label: One}, {code: 2, label: Two}]}
cells: [kind]
method: {minimum_answers: 1, minimum_base: 2}
"""


def _small(folder: Path, responses: str, extra: str = "") -> None:
    (folder / "own.yaml").write_text(INSTRUMENT)
    (folder / "organisations.csv").write_text("code,name\nT1,=First <b>\nT2,Second\n")
    (folder / "responses.csv").write_text(responses)
    (folder / "survey.yaml").write_text(
        f"instrument: own.yaml\nwaves: [{{year: 2024, responses: responses.csv}}]\n{extra}"
    )


SOUND = "respondent,organisation,kind,Q1\n" + "".join(
    f"r{i},T{1 + i % 2},{1 + i % 3 % 2},{1 + i % 5 % 2}\n" for i in range(40)
)


def test_an_own_instrument_beside_survey_yaml(tmp_path: Path) -> None:
    _small(tmp_path, SOUND, "settings: {minimum_base: 5}\ncontact: us@example.org\n")
    assert stocktake("benchmark", tmp_path).returncode == 0
    results = read_results(tmp_path / "results")
    assert results.provenance["settings"]["minimum_base"] == 5
    assert set(results.provenance["inputs"]) == {"organisations", "responses 2024"}
    run = st.open_run(tmp_path)
    assert run.organisations == {"T1": "=First <b>", "T2": "Second"}
    path = run.report("T1").write_pdf(tmp_path / "out" / "one.pdf")
    assert path.read_bytes().startswith(b"%PDF")
    assert [p.name for p in path.parent.iterdir()] == ["one.pdf"]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("settings: {minimum_bse: 5}", "Did you mean 'minimum_base'"),
        ("settings: {cap: -1}", "settings.cap"),
        ("wave: []", "line 3, wave"),
        ("theme: nowhere.yaml", "no such theme"),
    ],
)
def test_mistakes_in_survey_yaml(tmp_path: Path, extra: str, expected: str) -> None:
    _small(tmp_path, SOUND, extra)
    done = stocktake("benchmark", tmp_path)
    if done.returncode == 0:
        done = stocktake("report", tmp_path, "--all")
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("instrument: own.yaml\n", "no waves"),
        ("instrument: own.yaml\nwaves: [{year: 2020, responses: responses.csv}]\n", "no wave of 2024"),
        ("instrument: own.yaml\nwaves: [{year: 2024, responses: a.csv, sample: b.csv}]\n", "a.csv"),
        ("- x\n", "survey.yaml"),
        ("{", "not valid YAML"),
    ],
)
def test_survey_yaml_that_cannot_be_used(tmp_path: Path, text: str, expected: str) -> None:
    _small(tmp_path, SOUND)
    (tmp_path / "survey.yaml").write_text(text)
    done = stocktake("check", tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert expected in done.stderr


def test_folders_without_anything(tmp_path: Path) -> None:
    assert "survey.yaml: no such file" in stocktake("check", tmp_path).stderr
    _small(tmp_path, SOUND)
    assert "no results here yet" in stocktake("report", tmp_path, "--all").stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kode,name\nT1,A\n", "column 'code' is missing. Did you mean 'kode'?"),
        ("code,name\nT1,A\nT1,B\n", "'T1' appears twice"),
        ("code,name\n,A\n", "expected a code and a name"),
        ("code,name\n../x,A\n", "has the character solidus"),
        ("code,name\n", "found none"),
    ],
)
def test_mistakes_in_organisations(tmp_path: Path, text: str, expected: str) -> None:
    _small(tmp_path, SOUND)
    (tmp_path / "organisations.csv").write_text(text)
    assert expected in stocktake("check", tmp_path).stderr


def test_published(workbook: Path, imported: Path, tmp_path: Path) -> None:
    done = stocktake("published", workbook, tmp_path / "p")
    assert done.returncode == 0
    assert "133 trusts, 56 measures, 7,434 scores shown, 14 not" in done.stdout
    again = stocktake("published", workbook, tmp_path / "p")
    assert again.returncode == 0
    assert stocktake("benchmark", tmp_path / "p").returncode == 0
    assert stocktake("check", tmp_path / "p").returncode == 2
    one, two = read_results(imported / "results"), read_results(tmp_path / "p" / "results")
    assert one.scores.equals(two.scores)
    assert stocktake("published", tmp_path / "nowhere.ods", tmp_path / "q").returncode == 2
    (tmp_path / "broken.ods").write_text("x")
    assert "cannot be read as a workbook" in stocktake("published", tmp_path / "broken.ods", tmp_path / "q").stderr
    wrong = stocktake("published", workbook, tmp_path / "q", "--instrument", "cmh_2024")
    assert "scored here but not in the workbook" in wrong.stderr


@pytest.mark.parametrize("what", ["instrument", "survey", "theme", "results", "specification", "claims"])
def test_schema(what: str) -> None:
    found = json.loads(stocktake("schema", what).stdout)
    assert "scores" in found if what == "results" else found["$schema"].endswith("2020-12/schema")


def test_results_that_no_longer_fit_their_inputs_are_not_told(tmp_path: Path) -> None:
    _small(tmp_path, SOUND)
    assert stocktake("benchmark", tmp_path).returncode == 0
    assert stocktake("report", tmp_path, "--all").returncode == 0
    _small(tmp_path, SOUND, "settings: {minimum_base: 7}\n")
    assert "the instrument or its settings" in stocktake("report", tmp_path, "--all").stderr
    _small(tmp_path, SOUND + "r99,T1,1,1\n")
    changed = stocktake("report", tmp_path, "--all")
    assert changed.returncode == 2
    assert "responses.csv has changed" in changed.stderr and "again" in changed.stderr


def test_damaged_results(tmp_path: Path) -> None:
    _small(tmp_path, SOUND)
    assert stocktake("benchmark", tmp_path).returncode == 0
    (tmp_path / "results" / "scores.parquet").write_text("x")
    assert "scores.parquet was changed after it was written" in stocktake("report", tmp_path, "--all").stderr


def test_the_demo_replaces_nobodys_files(tmp_path: Path) -> None:
    _small(tmp_path, SOUND)
    before = (tmp_path / "survey.yaml").read_text()
    done = stocktake("demo", "--out", tmp_path)
    assert done.returncode == 2
    assert "already exists" in done.stderr
    assert (tmp_path / "survey.yaml").read_text() == before


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("contacts: {T9: x}", "contacts: no organisation 'T9'"),
        (
            "not_comparable: [{organisation: T9, year: 2023, kind: merged, reason: x}]",
            "not_comparable: no organisation",
        ),
        ("not_comparable: [{organisation: T1, year: 2023, kind: merged, reason: ''}]", "at least 1 character"),
    ],
)
def test_codes_and_reasons_in_survey_yaml(tmp_path: Path, extra: str, expected: str) -> None:
    _small(tmp_path, SOUND, extra + "\n")
    done = stocktake("benchmark", tmp_path)
    assert (done.returncode, expected in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    "years", ["2024, responses: responses.csv}, {year: 2024", "2024, responses: responses.csv}, {year: 2025"]
)
def test_waves_that_cannot_be(tmp_path: Path, years: str) -> None:
    _small(tmp_path, SOUND)
    (tmp_path / "survey.yaml").write_text(
        f"instrument: own.yaml\nwaves: [{{year: {years}, responses: responses.csv}}]\n"
    )
    assert stocktake("benchmark", tmp_path).returncode == 2


def test_paths_that_cannot_be_written(tmp_path: Path) -> None:
    _small(tmp_path, SOUND)
    (tmp_path / "file").write_text("x")
    for arguments in (
        ("count", tmp_path, "--out", tmp_path / "file"),
        ("new", "cmh_2024", tmp_path / "file"),
    ):
        done = stocktake(*arguments)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    (tmp_path / "results").write_text("x")
    done = stocktake("benchmark", tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


def test_brackets_in_names_are_text(tmp_path: Path) -> None:
    folder = tmp_path / "my [2024] survey[/b]"
    folder.mkdir(parents=True)
    _small(folder, SOUND)
    (folder / "own.yaml").write_text(INSTRUMENT.replace("Our own survey", "Our [/b] survey"))
    done = stocktake("benchmark", folder)
    assert done.returncode == 0, done.stderr
    assert "Our [/b] survey" in done.stdout


def test_organisations_as_windows_programs_write_them(tmp_path: Path) -> None:
    _small(tmp_path, SOUND)
    (tmp_path / "organisations.csv").write_bytes("code;name\r\nT1;St Mary\x92s\r\nT2;Second\r\n".encode("latin-1"))
    assert stocktake("benchmark", tmp_path).returncode == 0
    assert st.open_run(tmp_path).organisations["T1"] == "St Mary\u2019s"


def test_claims_that_contradict_each_other_and_claims_that_do_not(tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    head = "title: A report\nclaims:\n  - {id: a, where: page 1, measure: beds, stat: total, figure: '100'}\n"
    path.write_text(head + "  - {id: b, where: page 2, measure: beds, stat: total, figure: '120'}\n")
    done = stocktake("audit", "lint", path)
    assert done.returncode == 1
    assert done.stdout == "same figure: page 1 and page 2: beds is 100 and 120.\nClaims: 2. Contradictions: 1.\n"
    path.write_text(head)
    done = stocktake("audit", "lint", path)
    assert (done.returncode, done.stdout) == (0, "Claims: 1. Contradictions: 0.\n")
    wrong = stocktake("audit", "lint", tmp_path / "none.yaml")
    assert wrong.returncode == 2 and "no such file" in wrong.stderr
