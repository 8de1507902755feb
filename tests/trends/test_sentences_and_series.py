"""trends.yaml: what is refused, which years compare, and sentences that follow their figures."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from small_trends import definition, write_survey, write_trends
from stocktake.disclosure.precision import percent_interval
from stocktake.problems import BlockedError, StocktakeError
from stocktake.rounding import round_percent
from stocktake.run.trends import TrendRun, make_trend_results, open_trends
from stocktake.trends.definition import parse_trends
from stocktake.trends.facts import percent_text
from stocktake.trends.sentences import Claim, Reference, claim_of, pieces, reference_of, undeclared_directions
from stocktake.trends.tables import with_q_values


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrendRun:
    return make_trend_results(write_trends(tmp_path_factory.mktemp("trends")))


def refused(**changes: Any) -> str:
    with pytest.raises(StocktakeError) as error:
        parse_trends(yaml.safe_dump(definition(**changes), sort_keys=False))
    return str(error.value)


def indicator(**changes: Any) -> list[dict[str, Any]]:
    return [definition()["indicators"][0] | changes]


def sentence(text: str, *holds: str) -> list[dict[str, Any]]:
    return indicator(sentences=[{"text": text, "holds": list(holds)}])


def test_references() -> None:
    assert pieces("In {last}, {yes@2017} of {yes@last.people}.") == [
        "In ", Reference("last", begin="last"), ", ", Reference("yes@2017", "yes", "2017"), " of ",
        Reference("yes@last.people", "yes", "last", "", "people"), ".",
    ]  # fmt: skip
    assert reference_of("yes@first..last.mean").what == "mean" and not reference_of("yes@2014..2017").problem
    for wrong in ("2014..2017", "yes", "yes@17", "yes@2017.mean", "yes@2014..2017.people", "last.people"):
        assert reference_of(wrong).problem
    assert claim_of("yes  rose 2014..last") == Claim("yes  rose 2014..last", "yes", "rose", "2014", "last")
    above = claim_of("no above 50 2014")
    assert isinstance(above, Claim) and above.bound == 50.0 and above.names == ("no",)
    for wrong in ("yes rose 2014", "yes went up 2014..2017", "no above 5x 2014", "no above 1000 2014"):
        assert isinstance(claim_of(wrong), str)
    assert list(undeclared_directions("From 0 to 10 in 2017.", claimed=False)) == []
    assert len(list(undeclared_directions("20% fewer, by 3 points.", claimed=False))) == 3


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"surveys": ["old", "../new"]}, "the folder '../new' has the character solidus"),
        ({"surveys": ["old", "old"]}, "'old' is named twice"),
        ({"breaks": [{"year": 2018, "reason": "a"}, {"year": 2018, "reason": "b"}]}, "two breaks in 2018"),
        ({"indicators": indicator(code="help")}, "the code 'help' repeats 'help'"),
        ({"indicators": indicator(code="a/b")}, "'a/b' has the character solidus"),
        ({"series": [*definition()["series"], {"code": "other", "questions": {"old": "Q1"}}]}, "belongs to the series 'help' already"),
        ({"series": [definition()["series"][0] | {"questions": {"older": "Q1"}}]}, "no survey 'older'. Did you mean 'old'?"),
        ({"series": [definition()["series"][0] | {"lines": [{"code": "a", "label": "A", "answers": ["Yes"]}] * 2}]}, "'a' is used twice"),
        ({"indicators": indicator(lines=[{"name": "yes", "series": "helo", "line": "yes", "label": "Y"}], sentences=[])}, "no series 'helo'. Did you mean 'help'?"),
        ({"indicators": indicator(lines=[{"name": "yes", "series": "help", "line": "yes", "label": "Y"}] * 2, sentences=[])}, "'yes' is used twice"),
        ({"indicators": sentence("It was {yess@last}.")}, "no line 'yess'. Did you mean 'yes'?"),
        ({"indicators": sentence("It was {yes at last}.")}, "{yes at last} is no reference"),
        ({"indicators": sentence("It was {yes@last of people.")}, "a brace is open or closed alone"),
        ({"indicators": sentence("One in three, or a third.")}, "the figure 'One in three' is typed"),
        ({"indicators": sentence("It soared.")}, "it says 'soared' and claims nothing"),
        ({"indicators": sentence("It was 20% in 2017.")}, "the figure '20%' is typed"),
        ({"indicators": sentence("It rose.")}, "it says 'rose' and claims nothing"),
        ({"indicators": sentence("It rose.", "yes went up")}, "'yes went up' is no claim"),
        ({"indicators": sentence("It rose.", "yess rose 2014..2017")}, "no line 'yess'"),
        ({"corrections": [{"date": "2026-11-02", "text": "A figure.", "indicator": "helpd"}]}, "no indicator 'helpd'. Did you mean 'helped'?"),
    ],
)  # fmt: skip
def test_what_is_refused_when_it_is_read(changes: dict[str, Any], expected: str) -> None:
    said = refused(**changes)
    assert expected in said and "line " in said


def test_every_problem_at_once() -> None:
    said = refused(indicators=sentence("It rose 5% to {nope@last}."), surveys=["old", "con"])
    assert len(said.splitlines()) == 5


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"surveys": ["new", "old"]}, "expected each year once, in order"),
        ({"series": [definition()["series"][0] | {"questions": {"old": "Q7"}}]}, "old has no question 'Q7'"),
        ({"series": [definition()["series"][0] | {"notes": {2001: "A note."}}]}, "it has no year 2001"),
        ({"series": [definition()["series"][0] | {"lines": [{"code": "yes", "label": "Y", "answers": ["Don't know"]}]}]}, "none of its answers among those that are counted"),
        ({"indicators": indicator(lines=[{"name": "yes", "series": "help", "line": "yess", "label": "Y"}], sentences=[])}, "help has no line 'yess'. Did you mean 'yes'?"),
        ({"series": [{"code": "help", "questions": {"old": "Q1"}}]}, "the series help declares no lines"),
        ({"breaks": [{"year": 2031, "reason": "Redesigned."}]}, "break 2031: no survey is of that year"),
        ({"series": [definition()["series"][0] | {"lines": [{"code": "yes", "label": "Y", "answers": ["Yes", "Don't know"]}]}]}, "'Don't know' is not counted in percentages"),
        ({"series": [definition()["series"][0] | {"lines": [{"code": "yes", "label": "Y", "answers": ["Yes", "Noo"]}]}]}, "no survey has the answer 'Noo'. Did you mean 'No'?"),
        ({"breaks": [{"year": 2016, "reason": "Redesigned."}]}, "break 2016: old compares Q1 with years before it"),
        ({"standards": [{"series": "Q9", "answer": "Yes", "statement": "s", "source": "s", "address": "https://x.org"}]}, "no series 'Q9'"),
        ({"standards": [{"series": "help", "answer": "Yess", "statement": "s", "source": "s", "address": "https://x.org"}]}, "help has no answer 'Yess'. Did you mean 'Yes'?"),
        ({"breakdowns": ["kinds"]}, "no survey has the demographic 'kinds'. Did you mean 'kind'?"),
        ({"pairs": [["kind", "kind"]]}, "'kind' is taken with itself"),
        ({"groupings": "groups.csv"}, "no such file of groupings"),
    ],
)  # fmt: skip
def test_what_is_refused_of_the_surveys(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    write_trends(tmp_path, **changes)
    with pytest.raises(StocktakeError, match=expected.replace("'", ".").replace("?", ".")):
        make_trend_results(tmp_path)
    assert not (tmp_path / "results").exists()


def test_a_question_without_options_and_surveys_that_cannot_be_read(tmp_path: Path) -> None:
    write_trends(tmp_path)
    path = tmp_path / "new" / "instrument.yaml"
    survey = yaml.safe_load(path.read_text("utf-8"))
    survey["questions"].append({"code": "Q4", "text": "Say anything."})
    path.write_text(yaml.safe_dump(survey), "utf-8")
    for year in (2018, 2019):
        table = pl.read_csv(tmp_path / "new" / f"{year}.csv")
        table.with_columns(Q4=pl.lit("")).write_csv(tmp_path / "new" / f"{year}.csv")
    extra = {"code": "words", "questions": {"new": "Q4"}}
    (tmp_path / "trends.yaml").write_text(yaml.safe_dump(definition(series=[*definition()["series"], extra])), "utf-8")
    with pytest.raises(StocktakeError, match="Q4 of new has no options"):
        make_trend_results(tmp_path)
    (tmp_path / "trends.yaml").write_text(yaml.safe_dump(definition()), "utf-8")
    (tmp_path / "old" / "2015.csv").unlink()
    (tmp_path / "new" / "survey.yaml").write_text("instrument: nothing\nwaves: []\n", "utf-8")
    with pytest.raises(StocktakeError) as error:
        make_trend_results(tmp_path)
    assert "old/2015.csv: no such file" in str(error.value) and "new: " in str(error.value)


def test_what_blocks_a_survey_blocks_the_trends(tmp_path: Path) -> None:
    write_trends(tmp_path)
    table = pl.read_csv(tmp_path / "old" / "2016.csv")
    table.with_columns(Q1=pl.lit(9)).write_csv(tmp_path / "old" / "2016.csv")
    path = tmp_path / "old" / "instrument.yaml"
    survey = yaml.safe_load(path.read_text("utf-8"))
    survey["method"]["maximum_rejected"] = 0.05
    path.write_text(yaml.safe_dump(survey), "utf-8")
    with pytest.raises(BlockedError, match=r"old: 2016\.csv, column Q1: too many wrong codes"):
        make_trend_results(tmp_path)


def test_a_workbook_has_no_answers(tmp_path: Path) -> None:
    write_trends(tmp_path)
    (tmp_path / "old" / "survey.yaml").write_text("instrument: x\nworkbook: x.ods\n", "utf-8")
    with pytest.raises(StocktakeError, match="published workbook, which has no answers to count"):
        make_trend_results(tmp_path)
    with pytest.raises(StocktakeError, match="no such file; `stocktake demo trends`"):
        make_trend_results(tmp_path / "old")


def test_years_compare_as_declared(run: TrendRun) -> None:
    points = run.facts.points
    assert [points["help"][y]["segment"] for y in sorted(points["help"])] == [0, 0, 0, 0, 1, 1]
    assert points["help"][2018]["break_reason"] == "The survey was redesigned in 2018."
    # Each survey's second question is new in its last year; nothing of it goes across.
    assert sorted(points) == ["Q2", "Q3", "help", "old-Q2", "old-Q3"] and sorted(points["Q2"]) == [2019]
    changes = run.results.tables["share_changes"]
    pairs = set(changes.filter(pl.col("series") == "help").select("year_then", "year_now").iter_rows())
    assert pairs == {(a, b) for a in range(2014, 2018) for b in range(a + 1, 2018)} | {(2018, 2019)}
    courses = run.results.tables["courses"]
    assert set(courses.select("year_first", "year_last", "course", "years").iter_rows()) == {
        (2014, 2017, "rose", 4),
        (2014, 2017, "fell", 4),
    }


def test_without_a_declaration_surveys_do_not_compare(tmp_path: Path) -> None:
    """No break is named, and the later questionnaire names no earlier year: a line stops all the same."""
    run = make_trend_results(write_trends(tmp_path, breaks=[]))
    assert run.facts.points["help"][2018]["break_reason"].startswith("It was asked in another survey")
    path = tmp_path / "new" / "instrument.yaml"
    survey = yaml.safe_load(path.read_text("utf-8"))
    survey["questions"][0]["comparable"][2017] = "Q1"
    path.write_text(yaml.safe_dump(survey), "utf-8")
    with pytest.raises(StocktakeError, match="a survey's files, settings or instrument"):
        open_trends(tmp_path)
    again = make_trend_results(tmp_path)
    assert again.facts.points["help"][2018]["segment"] == 0
    # The wording is another, which readers are told.
    assert again.facts.points["help"][2018]["note"] == "The wording was 'Were you helped (old)?' before."


def test_lines_of_a_series_are_those_of_its_latest_year_first(run: TrendRun) -> None:
    lines = run.facts.lines("help")
    everybody = {line: max(years) for (code, line), years in run.facts.everybody.items() if code == "help"}
    assert {x.line for x in lines} == set(everybody) and [x.name for x in lines] == [f"l{i}" for i in range(len(lines))]
    latest = [everybody[x.line] for x in lines]
    assert latest == sorted(latest, reverse=True)


def test_percentages_are_those_of_the_files(run: TrendRun) -> None:
    """Half of each organisation's people: the weights are all one, and 5 who did not know are left out."""
    row = run.facts.everybody["help", "yes"][2017]
    table = pl.read_csv(run.folder / "old" / "2017.csv").filter(pl.col("Q1") < 3)
    assert row["base"] == table.height and row["percent"] == pytest.approx(100 * (table["Q1"] == 1).mean(), abs=0.8)
    assert row["left_out"] == 10


def test_figures_of_a_row_belong_together(run: TrendRun) -> None:
    """Wilson's interval of the percentage on its effective base, written out; of the full figures and of the printed ones."""
    for table in (run.results.tables["shares"], run.public.tables["shares"]):
        rows = [r for r in table.iter_rows(named=True) if r["status"] == "shown"]
        assert len(rows) > 50
        for row in rows:
            p, n, z = row["percent"] / 100, row["effective_base"], 1.959964
            middle, half = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
            low, high = (100 * (middle + s * half) / (1 + z**2 / n) for s in (-1, 1))
            near = 1e-4 if "count" in row else 0.051 if row["breakdown"] == "all" else 0.51
            assert (row["lower_95"], row["upper_95"]) == pytest.approx((low, high), abs=near)
            if "count" in row:
                assert 0 < row["count"] <= row["base"] and n <= row["base"] + 1e-6


def test_which_differences_stand() -> None:
    """Benjamini and Hochberg by hand: of p 0.01, 0.02 and 0.2 the adjusted are 0.03, 0.03 and 0.2."""
    rows = [{"series": "Q", "year": 2019, "line": "a", "p": p} for p in (0.02, 0.2, None, 0.01)]
    found = with_q_values([*rows, {"series": "Q", "year": 2019, "line": "b", "p": 0.06}])
    assert [None if r["q_value"] is None else round(r["q_value"], 6) for r in found] == [0.03, 0.2, None, 0.03, 0.06]
    assert [r["stands"] for r in found] == [True, False, False, True, False]


def test_sentences_follow_the_figures(run: TrendRun, tmp_path: Path) -> None:
    """Other data: every figure moves, and every sentence whose direction no longer holds is named and left out."""
    from stocktake.reports.model import numbers_of
    from stocktake.reports.trends.pages import indicator_page

    def figures(made: TrendRun) -> dict[str, float]:
        page = indicator_page(made.facts, made.settings.indicators[0])
        return {n.source: n.value for n in numbers_of(page.report)}

    assert run.untrue == []
    before = figures(run)
    write_trends(tmp_path, {2014: 0.6, 2017: 0.45, 2018: 0.5, 2019: 0.55})
    made = make_trend_results(tmp_path)
    problems = made.untrue
    assert len(problems) == 3 and all("is not printed" in p for p in problems)
    assert (
        "sentence 2 is not printed: 'yes rose 2014..2017' does not hold: 2014" in problems[0] and "fell." in problems[0]
    )
    after = figures(made)
    years = ("2014", "2017", "2018", "2019")
    moved = [k for k in before if k.startswith("shares/help/") and k.endswith("percent") and any(y in k for y in years)]
    assert len(moved) > 8 and all(k not in after or after[k] != before[k] for k in moved)
    kept = [k for k in before if k.startswith("shares/help/yes/2015") and k.endswith("percent")]
    assert kept and all(after[k] == before[k] for k in kept)


def test_a_sentence_across_a_break_is_not_printed(tmp_path: Path) -> None:
    sentences = [
        {"text": "It rose by {yes@2017..2018}.", "holds": ["yes rose 2017..2018"]},
        {"text": "On average it was {yes@2014..2019.mean}."},
        {"text": "In 2011 it was {yes@2011}."},
        {"text": "It was {yes@2017..2014}."},
    ]
    run = make_trend_results(write_trends(tmp_path, indicators=indicator(sentences=sentences)))
    assert [p.split("printed: ")[1] for p in run.untrue] == [
        "2017 and 2018 do not compare: The survey was redesigned in 2018.",
        "2014 and 2019 do not compare: The survey was redesigned in 2018.",
        "2011 is no year of the series help; it has 2014, 2015, 2016, 2017, 2018, 2019.",
        "2017 to 2014 is no span of years.",
    ]


def test_every_kind_of_claim_can_fail(tmp_path: Path) -> None:
    claims = [
        "yes highest 2014", "no above 90 2014", "yes below 5 2014", "yes above no 2014", "yes unchanged 2014..2017",
        "no below yes 2014", "no below 95 2014", "no above 50 2014",
    ]  # fmt: skip
    sentences = [{"text": "It was so.", "holds": [c]} for c in claims]
    run = make_trend_results(write_trends(tmp_path, indicators=indicator(sentences=sentences)))
    assert [i for i in range(len(claims)) if f"sentence {i + 1} is not" in "\n".join(run.untrue)] == [0, 1, 2, 3, 4, 5]


def test_a_single_year_has_no_year_before(tmp_path: Path) -> None:
    line = {"name": "yes", "series": "alone", "line": "yes", "label": "Y"}
    series = {"code": "alone", "questions": {"new": "Q2"}, "lines": [{"code": "yes", "label": "Y", "answers": ["Yes"]}]}
    texts = [{"text": "It was {yes@before}."}, {"text": "{yes@first} and {yes@last.people}"}]
    indicators = indicator(lines=[line], sentences=texts)
    run = make_trend_results(write_trends(tmp_path, indicators=indicators, series=[*definition()["series"], series]))
    assert len(run.untrue) == 1 and "2019 compares with no year before it: it is the first." in run.untrue[0]


def test_withheld_figures_are_in_no_sentence(tmp_path: Path) -> None:
    run = make_trend_results(write_trends(tmp_path, disclosure={"minimum_base": 100_000}))
    assert len(run.untrue) == 4 and "no figure of yes in 2019: withheld: too few people" in run.untrue[0]
    assert run.public.tables["shares"]["percent"].null_count() == run.public.tables["shares"].height


def test_the_attacker_finds_nothing_and_finds_a_leak_put_in(tmp_path: Path) -> None:
    """Results as they are made; then with one line printed that was withheld beside a small one."""
    from stocktake.results.store import write_results
    from stocktake.run.disclosure import pinned_figures

    write_trends(tmp_path)
    path = tmp_path / "new" / "2019.csv"
    table = pl.read_csv(path).with_row_index("i")
    # Of the people of the second kind three said yes, and the others no.
    few = (pl.col("kind") == 2) & (pl.col("i").rank("ordinal").over("kind") <= 3)
    answer = pl.when(few).then(1).when(pl.col("kind") == 2).then(2).otherwise("Q1")
    table.with_columns(Q1=answer).drop("i").write_csv(path)
    run = make_trend_results(tmp_path)
    assert pinned_figures(tmp_path).sentences == []
    assert "None of the small numbers behind" in pinned_figures(tmp_path).summary
    shares = run.results.tables["shares"]
    beside = (
        (pl.col("series") == "help")
        & (pl.col("year") == 2019)
        & (pl.col("group") == "Kind 2")
        & (pl.col("line") == "no")
    )
    assert shares.filter(beside)["status"].to_list() == ["withheld"]
    leaking = shares.with_columns(status=pl.when(beside).then(pl.lit("shown")).otherwise("status"))
    write_results(replace(run.results, tables={**run.results.tables, "shares": leaking}), tmp_path / "results")
    found = pinned_figures(tmp_path)
    assert found.sentences[0].startswith("help, 2019, kind, Kind 2: ") and "1 small numbers" in found.summary


def test_groupings_of_organisations(tmp_path: Path) -> None:
    write_trends(tmp_path, groupings="groups.csv")
    path = tmp_path / "groups.csv"
    path.write_text("organisation,grouping,group\nT0,size,Small\nT1,size,Large\nT2,size,Large\n", "utf-8")
    shares = make_trend_results(tmp_path).results.tables["shares"]
    assert set(shares["breakdown"].unique()) == {"all", "size", "kind", "sex"}
    small = shares.filter((pl.col("group") == "Small") & (pl.col("year") == 2019) & (pl.col("series") == "help"))
    table = pl.read_csv(tmp_path / "new" / "2019.csv").filter((pl.col("organisation") == "T0") & (pl.col("Q1") < 3))
    assert small["base"].to_list() == [table.height] * 2
    path.write_text("organisation,grouping,group\nT0,All,x\nT1,size,\nT2,size,a\nT2,size,b\n", "utf-8")
    with pytest.raises(StocktakeError) as error:
        make_trend_results(tmp_path)
    assert [p.split(": ")[0] for p in error.value.problems] == [
        "groups.csv, row 2, column grouping", "groups.csv, row 3", "groups.csv, row 5",
    ]  # fmt: skip
    path.write_text("organisation,grouping,group\nT0,sex,Small\n", "utf-8")
    with pytest.raises(StocktakeError, match=r"the grouping .sex. is called as a demographic is"):
        make_trend_results(tmp_path)
    path.write_text("organisation,group\nT0,x\n", "utf-8")
    with pytest.raises(StocktakeError, match="column 'grouping' is missing"):
        make_trend_results(tmp_path)
    path.write_text("", "utf-8")
    with pytest.raises(StocktakeError, match="column 'organisation' is missing"):
        make_trend_results(tmp_path)


def test_without_a_sample_it_is_said(tmp_path: Path) -> None:
    write_trends(tmp_path)
    write_survey(tmp_path, "new", {2018: 0.4, 2019: 0.4}, sample=False)
    standard = {"series": "help", "answer": "yes", "statement": "s", "source": "s", "address": "https://x.org"}
    (tmp_path / "trends.yaml").write_text(yaml.safe_dump(definition(standards=[standard])), "utf-8")
    run = make_trend_results(tmp_path)
    assert run.facts.points["Q3"][2019]["section"] == ""
    notes = run.results.tables["trend_notes"]
    assert notes["year"].to_list() == [2018, 2019] and "not weighted for" in notes["note"][0]
    assert not run.facts.everybody["help", "yes"][2019]["weighted_for_response"]


def test_nobody_of_a_group_answered_and_that_is_said(tmp_path: Path) -> None:
    """A cell that was invited in one organisation and has nobody who answered is counted with its neighbour."""
    write_trends(tmp_path)
    table = pl.read_csv(tmp_path / "new" / "2019.csv")
    table.filter(~((pl.col("organisation") == "T3") & (pl.col("kind") == 2))).write_csv(tmp_path / "new" / "2019.csv")
    path = tmp_path / "new" / "2019-sample.csv"
    sample = pl.read_csv(path)
    gone = (pl.col("organisation") == "T3") & (pl.col("kind") == 2)
    sample.with_columns(outcome=pl.when(gone).then(6).otherwise("outcome")).write_csv(path)
    notes = make_trend_results(tmp_path).results.tables["trend_notes"]
    assert notes.row(0, named=True) == {
        "year": 2019,
        "organisation": "T3",
        "note": "Nobody of 'Kind 2' answered; they are counted with 'Kind 1'.",
    }


@pytest.mark.parametrize("influence", ["survey", "question", "none"])
def test_influence_is_a_setting_that_moves_percentages(tmp_path: Path, influence: str) -> None:
    """T0 has ten times as many people as the others, all of whom say yes."""
    write_trends(tmp_path, influence=influence)
    path = tmp_path / "new" / "2019.csv"
    table = pl.read_csv(path)
    own = table.filter(pl.col("organisation") == "T0").with_columns(Q1=pl.lit(1, dtype=pl.Int64))
    more = pl.concat([own.with_columns(respondent=pl.col("respondent") + 10_000_000 * (i + 1)) for i in range(9)])
    pl.concat([table.filter(pl.col("organisation") != "T0"), own, more]).write_csv(path)
    settings = yaml.safe_load((tmp_path / "new" / "survey.yaml").read_text("utf-8"))
    settings["waves"][-1].pop("sample")
    (tmp_path / "new" / "survey.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    percent = make_trend_results(tmp_path).facts.everybody["help", "yes"][2019]["percent"]
    by_trust = (
        pl.read_csv(path).filter(pl.col("Q1") < 3).group_by("organisation").agg((pl.col("Q1") == 1).mean(), pl.len())
    )
    alike, by_size = by_trust["Q1"].mean(), (by_trust["Q1"] * by_trust["len"]).sum() / by_trust["len"].sum()
    expected = {"survey": alike, "question": alike, "none": by_size}[influence]
    assert percent == pytest.approx(100 * expected, abs=0.6 if influence == "survey" else 0.06)


def test_figures_over_several_years(run: TrendRun) -> None:
    values = [run.facts.everybody["help", "yes"][y]["percent"] for y in range(2014, 2018)]
    own = run.settings.indicators[0]
    for what, expected in (("lowest", min(values)), ("highest", max(values)), ("mean", sum(values) / 4)):
        found = run.facts.resolve(own, reference_of(f"yes@2014..2017.{what}"))
        assert found.value == pytest.approx(expected) and found.text == percent_text(expected)


def test_groups_two_at_a_time_and_what_is_not_there(tmp_path: Path) -> None:
    """A pair is of the latest year; a group of nobody has no row; a question that nobody answered says so; a group that
    answers as everybody else has a difference of none that cannot be tested."""
    write_trends(tmp_path, pairs=[["kind", "sex"]])
    path = tmp_path / "new" / "2019.csv"
    table = pl.read_csv(path)
    table.with_columns(Q2=pl.lit(3)).write_csv(path)
    old = tmp_path / "old" / "2017.csv"
    # Each sex is of one kind alone, so that there is no mix at which to compare them.
    pl.read_csv(old).with_columns(Q2=pl.lit(1), sex=pl.col("kind")).write_csv(old)
    run = make_trend_results(tmp_path)
    shares = run.results.tables["shares"]
    pairs = shares.filter(pl.col("breakdown") == "kind and sex")
    assert pairs.filter(pl.col("series") == "help")["year"].unique().to_list() == [2019]
    assert "Sex 3" not in shares["group"].to_list() and "Kind 1, Sex 2" in pairs["group"].to_list()
    nobody = shares.filter((pl.col("series") == "Q2") & (pl.col("breakdown") == "all"))
    assert nobody["status"].to_list() == ["no data"] * 2 and nobody["percent"].null_count() == 2
    alike = run.results.tables["share_differences"].filter((pl.col("series") == "old-Q2") & (pl.col("line") == "a1"))
    assert alike["adjusted"].to_list() == [0.0] * alike.height and alike["p"].null_count() == alike.height > 0
    assert not alike["stands"].any() and set(alike["breakdown"]) >= {"kind"} and "sex" not in set(alike["breakdown"])


def test_differences_of_what_is_withheld_are_not_there(tmp_path: Path) -> None:
    """A group of two sexes of which one is too small, and an answer that three people of a group gave."""
    write_trends(tmp_path, disclosure={"minimum_base": 40})
    path = tmp_path / "new" / "2019.csv"
    table = pl.read_csv(path).with_row_index("i")
    few = (pl.col("kind") == 2) & (pl.col("Q1") == 1) & (pl.col("i").rank("ordinal").over("kind", "Q1") > 3)
    sex = pl.when(pl.col("i") < 20).then(2).otherwise(1)
    table.with_columns(Q1=pl.when(few).then(2).otherwise("Q1"), sex=sex).drop("i").write_csv(path)
    run = make_trend_results(tmp_path)
    own = run.results.tables["share_differences"].filter(pl.col("series") == "help")
    assert set(own.select("breakdown", "group").iter_rows()) <= {("kind", "Kind 1"), ("sex", "Sex 1")}
    shares = run.results.tables["shares"].filter((pl.col("series") == "help") & (pl.col("year") == 2019))
    hidden = shares.filter(pl.col("status") == "withheld")
    assert {("kind", "Kind 2"), ("sex", "Sex 2")} <= set(hidden.select("breakdown", "group").iter_rows())


def test_small_percentages_never_read_as_none() -> None:
    """One decimal for everybody and none for groups; more than none is at least 0.1, and says how near to none it may be."""
    values = np.array([0.0, 0.02, 0.3, 0.5, 12.34, 99.96, np.nan])
    assert round_percent(values, 1).tolist()[:-1] == [0.0, 0.1, 0.3, 0.5, 12.3, 100.0]
    assert round_percent(values, 0).tolist()[:-1] == [0.0, 0.1, 0.3, 1.0, 12.0, 100.0]
    for places in (0, 1):
        low, high = percent_interval(round_percent(values[:-1], places), places)
        assert (low <= values[:-1]).all() and (values[:-1] <= high).all()
        assert low[0] == high[0] == 0.0
    assert percent_text(0.1) == "0.1%" and percent_text(12.34) == "12.3%"
