"""The commands as a user gives them: what they print, write, and end with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import stocktake as st
from stocktake.problems import BlockedError, StocktakeError
from stocktake.results.store import read_results
from stocktake.run.reporting import make_reports


def stocktake(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stocktake", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env={**os.environ, "COLUMNS": "140"}
    )


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


def test_the_whole_way(demo: Path) -> None:
    checked = stocktake("check", demo)
    assert checked.returncode == 0
    assert "duplicate respondent" in checked.stdout
    page = (demo / "data_quality" / "data_quality.html").read_text()
    assert "<script" not in page and "duplicate respondent" in page
    before = {p.name: p.read_bytes() for p in (demo / "results").iterdir()}
    done = stocktake("benchmark", demo, "--save-counts", demo / "counts.npz")
    assert done.returncode == 0
    assert "53 trusts, 48 measures" in done.stdout
    assert {p.name: p.read_bytes() for p in (demo / "results").iterdir()} == before, "the same inputs, the same bytes"
    assert st.Counts.load(demo / "counts.npz").respondents.sum() == 14_619
    output = stocktake("report", demo, "--organisation", "Z01", "--organisation", "Z02")
    assert output.returncode == 0
    assert (demo / "reports" / "Z01" / NAME).is_file()
    assert "2 up to date" in stocktake("report", demo, "--organisation", "Z01", "--organisation", "Z02").stdout
    assert stocktake("report", demo).returncode == 2
    unknown = stocktake("report", demo, "--organisation", "z09")
    assert unknown.returncode == 2
    assert "Did you mean 'Z09'" in unknown.stderr


def test_every_edition_in_every_format(demo: Path) -> None:
    editions, formats = "trust,service-groups,poster,national,method", "pdf,pptx,xlsx,ods"
    made = stocktake("report", demo, "--organisation", "Z07", "--format", formats, "--edition", editions)
    assert made.returncode == 0, made.stderr
    assert "10 made, 0 up to date already" in made.stdout
    found = sorted(p.name for p in (demo / "reports" / "Z07").iterdir() if p.name[0] != ".")
    assert found == [
        *(f"benchmark-report.{e}" for e in ("ods", "pdf", "pptx", "xlsx")),
        *("poster-a3.pdf", "poster-a4.pdf"),
        *(f"service-groups-report.{e}" for e in ("ods", "pdf", "pptx", "xlsx")),
    ]
    national = {p.name for p in (demo / "national").iterdir()}
    assert {
        "national-tables.xlsx",
        "national-tables.ods",
        "csv-metadata.json",
        "scores.csv",
        "method-annex.pdf",
    } <= national
    again = stocktake("report", demo, "--organisation", "Z07", "--format", "pdf,xlsx", "--edition", "trust,poster")
    assert "0 made, 4 up to date already" in again.stdout
    # One file taken away is the only one that is made again.
    (demo / "reports" / "Z07" / "benchmark-report.xlsx").unlink()
    assert (
        "1 made, 3 up to date"
        in stocktake(
            "report", demo, "--organisation", "Z07", "--format", "pdf,xlsx", "--edition", "trust,poster"
        ).stdout
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--format", "pdf,docx"), "no format 'docx'; expected pdf, pptx, xlsx, ods."),
        (
            ("--edition", "posters"),
            "no edition 'posters'; expected trust, service-groups, poster, national, method. Did you mean 'poster'?",
        ),
        (("--edition", ","), "say a edition: trust"),
    ],
)
def test_a_format_or_edition_that_is_not_known(demo: Path, arguments: tuple[str, str], expected: str) -> None:
    done = stocktake("report", demo, "--all", *arguments)
    assert (done.returncode, expected.replace("a edition", "an edition") in done.stderr) == (2, True), done.stderr


def test_an_edition_without_results_is_told_and_not_made(imported: Path) -> None:
    done = stocktake("report", imported, "--organisation", "RAN", "--edition", "trust,service-groups,poster")
    assert done.returncode == 0, done.stderr
    assert "1 made" in done.stdout
    assert "Not made for 1: These results have no service groups." in done.stdout
    assert "Not made for 2: There is no poster where questions have no wording" in done.stdout
    assert [p.name for p in (imported / "reports" / "RAN").glob("*.pdf")] == [NAME]


def test_the_site_of_an_official_workbook(imported: Path) -> None:
    done = stocktake("site", imported)
    assert done.returncode == 0, done.stderr
    assert "index.html in a browser, or run" in done.stdout
    site = imported / "site"
    assert len(list((site / "trusts").glob("*.html"))) == 133
    assert len(list((site / "measures").glob("*.html"))) == 45 + 11 + 1
    assert "carry codes of questions, not their wording" in (site / "measures" / "Q2.html").read_text()
    assert not (imported / ".site.part").exists()


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


def test_results_that_are_written_again_are_the_same_bytes(demo: Path, tmp_path: Path) -> None:
    st.open_run(demo).write(tmp_path / "again")
    for path in sorted((tmp_path / "again").iterdir()):
        assert path.read_bytes() == (demo / "results" / path.name).read_bytes(), path.name


def test_an_interrupted_run_leaves_no_half_file_and_resumes(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import stocktake.render.pdf as pdf

    real, folder = pdf.pdf_bytes, demo / "reports" / "Z30"

    def stop(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(pdf, "pdf_bytes", stop)
    with pytest.raises(KeyboardInterrupt):
        make_reports(demo, ["Z30"])
    assert not list(folder.glob("*"))
    monkeypatch.setattr(pdf, "pdf_bytes", real)
    assert [m.fresh for m in make_reports(demo, ["Z30"])] == [True]
    assert [m.fresh for m in make_reports(demo, ["Z30"])] == [False]
    assert sorted(p.name for p in folder.iterdir()) == [".benchmark-report.pdf.made", NAME]


def test_many_reports_on_every_core(demo: Path) -> None:
    output: list[str] = []
    made = make_reports(demo, ["Z40", "Z41", "Z42", "Z43"], lambda m: output.append(m.organisation))
    assert [m.organisation for m in made] == ["Z40", "Z41", "Z42", "Z43"]
    assert sorted(output) == ["Z40", "Z41", "Z42", "Z43"]
    assert all(m.path.is_file() for m in made)


def test_python_with_frames(demo: Path, tmp_path: Path) -> None:
    responses = pl.read_csv(demo / "2024" / "responses.csv", infer_schema=False)
    sample = pl.read_csv(demo / "2024" / "sample.csv")
    names = dict(pl.read_csv(demo / "organisations.csv").select("code", "name").iter_rows())
    quick = {"draws": 0}
    run = st.benchmark(instrument="cmh_2024", responses=responses, sample=sample, organisations=names, settings=quick)
    stored = read_results(demo / "results").scores.filter(pl.col("year") == 2024)
    # Batches of another size add in another order, which moves the last bit of a standard error.
    assert_frame_equal(run.scores, stored, rel_tol=1e-12)
    # A few organisations, as frames of other libraries: the same as from files.
    few = pl.col("organisation").is_in([f"Z{i:02d}" for i in range(1, 9)])
    some, invited = responses.filter(few), sample.filter(few)
    by_frame = st.benchmark(
        instrument=st.load("cmh_2024"),
        responses=some.to_pandas(),
        sample=invited.to_arrow(),
        organisations=pl.DataFrame({"code": list(names), "name": list(names.values())}),
        settings={"change_reference": "common", **quick},
    )
    some.write_csv(tmp_path / "some.csv")
    invited.write_csv(tmp_path / "invited.csv")
    by_file = st.benchmark(
        instrument="cmh_2024",
        responses=tmp_path / "some.csv",
        sample=tmp_path / "invited.csv",
        organisations=names,
        settings=quick,
    )
    assert_frame_equal(by_frame.scores, by_file.scores, rel_tol=1e-12)
    assert by_frame.changes.height == 0
    assert "Community Mental Health" in run._repr_html_()
    html = run.report("Z01")._repr_html_()
    assert "<svg" in html and "<table" in html
    bare = some
    coded = st.benchmark(instrument="cmh_2024", responses=bare, settings=quick)
    assert coded.organisations["Z01"] == "Z01"
    assert coded.fieldwork["invited"].null_count() == coded.fieldwork.height
    for wrong in ({}, {"instrument": "cmh_2024", "responses": bare.drop("organisation")}):
        with pytest.raises(StocktakeError):
            st.benchmark(**wrong)  # type: ignore[arg-type]
    assert "benchmark" in dir(st)
    with pytest.raises(AttributeError):
        _ = st.nothing


def test_a_common_reference_and_other_settings(demo: Path) -> None:
    from stocktake.disclosure.rules import Rules
    from stocktake.run.benchmark import results_of_waves, waves_of_folder
    from stocktake.run.settings import load_instrument, read_settings

    chosen = read_settings(demo).model_copy(
        update={
            "settings": {"change_reference": "common", "change_test": "t", "group_reference": "all", "draws": 0},
            "disclosure": Rules(complementary=False),
        }
    )
    survey = load_instrument(chosen, demo)
    run = results_of_waves(survey, chosen, waves_of_folder(demo, chosen, survey), demo)
    stored = read_results(demo / "results")
    assert set(run.changes["test"]) == {"t"}
    every = pl.col("group") == "all"
    ours = run.changes.filter(every & pl.col("score_then").is_not_null())["score_then"]
    theirs = stored.changes.filter(every & pl.col("score_then").is_not_null())["score_then"]
    assert not ours.equals(theirs)
    assert (ours - theirs).abs().max() < 0.5  # type: ignore[operator]
    assert run.scores.filter(every & (pl.col("year") == 2024)).equals(
        stored.scores.filter(every & (pl.col("year") == 2024))
    )
    assert set(run.measures.filter(~every)["reference"]) == {"all respondents"}


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
        ("benchmark", tmp_path, "--save-counts", tmp_path / "no" / "counts.npz"),
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


def test_nothing_withheld_in_the_demo_can_be_worked_out(demo: Path) -> None:
    done = stocktake("disclosure", demo)
    assert done.returncode == 0, done.stdout
    assert "None of the" in done.stdout and "can be worked out" in done.stdout


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
