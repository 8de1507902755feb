"""The commands on the simulated survey: benchmark, report, site, and the same from Python."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import stocktake as st
from commands import stocktake
from stocktake.problems import StocktakeError
from stocktake.results.store import read_results
from stocktake.run.reporting import make_reports
from stocktake.survey.counted import CountedWave

NAME = "benchmark-report.pdf"


# So many trusts are enough to see what a command does; the numbers of all of them are other tests'.
FEW = [f"Z{i:02d}" for i in range(1, 9)]


@pytest.fixture(scope="module")
def few(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated survey of a few trusts, benchmarked by command."""
    folder = tmp_path_factory.mktemp("few")
    text = (demo / "survey.yaml").read_text("utf-8")
    (folder / "survey.yaml").write_text(text.split("not_comparable:")[0], "utf-8")
    own = pl.col("organisation").is_in(FEW)
    for year in ("2023", "2024"):
        (folder / year).mkdir()
        pl.read_csv(demo / year / "sample.csv", infer_schema=False).filter(own).write_csv(folder / year / "sample.csv")
    pl.read_csv(demo / "2024" / "responses.csv", infer_schema=False).filter(own).write_csv(
        folder / "2024" / "responses.csv"
    )
    pl.read_parquet(demo / "2023" / "responses.parquet").filter(own).write_parquet(
        folder / "2023" / "responses.parquet"
    )
    for name in ("organisations.csv", "2023/organisations.csv"):
        pl.read_csv(demo / name).filter(pl.col("code").is_in(FEW)).write_csv(folder / name)
    done = stocktake("benchmark", folder)
    assert done.returncode == 0, done.stderr
    assert "8 trusts, 48 measures" in done.stdout
    return folder


def test_the_whole_way(demo: Path, few: Path) -> None:
    checked = stocktake("check", demo)
    assert checked.returncode == 0
    assert "duplicate respondent" in checked.stdout
    page = (demo / "data_quality" / "data_quality.html").read_text()
    assert "<script" not in page and "duplicate respondent" in page
    before = {p.name: p.read_bytes() for p in (few / "results").iterdir()}
    assert stocktake("benchmark", few).returncode == 0
    assert {p.name: p.read_bytes() for p in (few / "results").iterdir()} == before, "the same inputs, the same bytes"
    answered = read_results(few / "results").scores.filter((pl.col("year") == 2024) & (pl.col("group") == "all"))["n"]
    done = stocktake("count", few, "--out", few / "out", "--minimum-cell", "5")
    assert done.returncode == 0, done.stderr
    assert "8 organisations" in done.stdout and "were moved to the nearest cells; no score of a" in done.stdout
    assert "These files are confidential" in done.stdout
    done = stocktake("combine", few / "sum.counts", few / "out" / "cmh_2024-2024.counts")
    assert "In survey.yaml: waves: [{year: 2024, counts: sum.counts}]" in done.stdout.replace("\n", " ")
    assert stocktake("combine", few / "sum.counts", few / "sum.counts", few / "sum.counts").returncode == 2
    counted = CountedWave.load(few / "sum.counts").counts.respondents.sum()
    assert answered.max() * len(FEW) > counted > 8 * 150  # type: ignore[operator]
    output = stocktake("report", few, "--organisation", "Z01", "--organisation", "Z02")
    assert output.returncode == 0
    assert (few / "reports" / "Z01" / NAME).is_file()
    assert "2 up to date" in stocktake("report", few, "--organisation", "Z01", "--organisation", "Z02").stdout
    assert stocktake("report", few).returncode == 2
    unknown = stocktake("report", few, "--organisation", "z08")
    assert unknown.returncode == 2
    assert "Did you mean 'Z08'" in unknown.stderr


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
            "no edition 'posters'; expected trust, service-groups, poster, board, national, method. Did you mean 'poster'?",
        ),
        (("--edition", ","), "say a edition: trust"),
    ],
)
def test_a_format_or_edition_that_is_not_known(demo: Path, arguments: tuple[str, str], expected: str) -> None:
    done = stocktake("report", demo, "--all", *arguments)
    assert (done.returncode, expected.replace("a edition", "an edition") in done.stderr) == (2, True), done.stderr


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


def test_python_with_frames(few: Path, tmp_path: Path) -> None:
    some = pl.read_csv(few / "2024" / "responses.csv", infer_schema=False)
    invited = pl.read_csv(few / "2024" / "sample.csv")
    names = dict(pl.read_csv(few / "organisations.csv").select("code", "name").iter_rows())
    quick = {"draws": 0}
    run = st.benchmark(instrument="cmh_2024", responses=some, sample=invited, organisations=names, settings=quick)
    stored = read_results(few / "results").scores.filter(pl.col("year") == 2024)
    # Batches of another size add in another order, which moves the last bit of a standard error.
    assert_frame_equal(run.scores, stored, rel_tol=1e-12)
    # Frames of other libraries: the same as from files.
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


def test_a_common_reference_and_other_settings(few: Path) -> None:
    from stocktake.disclosure.rules import Rules
    from stocktake.run.benchmark import results_of_waves
    from stocktake.run.settings import load_instrument, read_settings
    from stocktake.run.waves import waves_of_folder

    chosen = read_settings(few).model_copy(
        update={
            "settings": {"change_reference": "common", "change_test": "t", "group_reference": "all", "draws": 0},
            "disclosure": Rules(complementary=False),
        }
    )
    survey = load_instrument(chosen, few)
    run = results_of_waves(survey, chosen, waves_of_folder(few, chosen, survey), few)
    stored = read_results(few / "results")
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


def test_percentages_of_every_question_and_wave(few: Path) -> None:
    done = stocktake("percentages", few)
    assert done.returncode == 0 and "changes.csv" in done.stdout, done.stderr
    table = pl.read_csv(few / "percentages" / "percentages.csv")
    whole = table.group_by("year", "area", "question").agg(
        pl.col("percent").sum(), pl.col("base").first(), pl.col("count").sum()
    )
    assert whole.height > 100 and (whole["percent"] - 100).abs().max() < 1e-9  # type: ignore[operator]
    assert (whole["base"] == whole["count"]).all() and (table["effective_base"] <= table["base"] + 1e-6).all()
    assert (
        set(table["area"]) > {"England"} and set(table["year"]) == {2023, 2024} and table["weighted_for_response"].all()
    )
    changes = pl.read_csv(few / "percentages" / "changes.csv").filter(pl.col("area") == "England")
    now = table.filter((pl.col("year") == 2024) & (pl.col("area") == "England"))
    both = changes.join(now, on=["question", "option"])
    assert both.height == changes.height and (both["now"] - both["percent"]).abs().max() < 1e-9  # type: ignore[operator]
    assert ((both["lower_95"] <= both["points"]) & (both["points"] <= both["upper_95"])).all()
    assert "Not for publication" in (few / "percentages" / "README.txt").read_text("utf-8")
    # Without a sample file nobody knows who did not answer, and that is said.
    text = (few / "survey.yaml").read_text("utf-8")
    (few / "survey.yaml").write_text(text.replace("    sample: 2024/sample.csv\n", ""), "utf-8")
    assert "2024: no sample with age and sex" in stocktake("percentages", few, "--influence", "none").stdout
    (few / "survey.yaml").write_text(text, "utf-8")


def test_nothing_withheld_in_the_demo_can_be_worked_out(demo: Path) -> None:
    done = stocktake("disclosure", demo)
    assert done.returncode == 0, done.stdout
    assert "None of the" in done.stdout and "can be worked out" in done.stdout
