"""The report's story: every number is a reference to a result, and every kind of trust reads well."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from helpers import most_withheld
from stocktake.reports.charts import BandStrip, CountBars, RankedBars, TrendLines
from stocktake.reports.method_annex import method_annex
from stocktake.reports.model import (
    Bullets,
    Figure,
    Heading,
    Link,
    Number,
    Report,
    Text,
    blocks_of,
    numbers_of,
    paragraph,
    plain,
    texts_of,
)
from stocktake.reports.words import listed, plural, rounded
from stocktake.run.core import Edition, Run, open_run
from stocktake.survey.simulate import EXCLUDED, MERGED


@pytest.fixture(scope="module")
def run(demo: Path) -> Run:
    return open_run(demo)


@pytest.fixture(scope="module")
def official(imported: Path) -> Run:
    return open_run(imported)


def words(report: Report) -> str:
    return " ".join(plain(t) for b in blocks_of(report) for t in texts_of(b))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(6.25, "6.3"), (6.35, "6.4"), (-0.04, "0.0"), (6.849999, "6.8"), (10.0, "10.0"), (-1.25, "-1.3"), (0.05, "0.1")],
)
def test_rounding_is_half_away_from_zero(value: float, shown: str) -> None:
    assert rounded(value) == shown


def test_small_words() -> None:
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert plural(1, "score") == "score"
    assert plural(2, "score") == "scores"
    assert paragraph("{n} of {m}", n=Number(1, "1", "x"), m="two").parts == (Number(1, "1", "x"), " of ", "two")


def look_up(run: Run, source: str) -> Any:
    table, year, organisation, key, column = source.split("/")
    table, _, group = table.partition(":")
    frame: pl.DataFrame = getattr(run.public, table)
    frame = frame.filter(pl.col("group") == (group or "all"))
    if table == "changes":
        # Between two earlier years both are named.
        then, _, now = year.partition("-")
        latest = frame["year_now"].max()
        frame = frame.filter((pl.col("year_then") == int(then)) & (pl.col("year_now") == (int(now) if now else latest)))
    else:
        frame = frame.filter(pl.col("year") == int(year))
    if organisation:
        frame = frame.filter(pl.col("organisation") == organisation)
    if table == "profile":
        variable, option = key.split("=")
        frame = frame.filter((pl.col("variable") == variable) & (pl.col("option") == int(option)))
    elif key:
        frame = frame.filter(pl.col("measure") == key)
    assert frame.height == 1, source
    return frame[column][0]


def check_numbers(run: Run, code: str, edition: Edition = "trust") -> int:
    return check_report(run, run.report(code, edition).report, code)


def check_report(run: Run, report: Report, code: str) -> int:
    checked = 0
    for number in numbers_of(report):
        if number.source.startswith("count:"):
            _, what, _, organisation, members = number.source.split(":", 4)
            assert organisation == code
            assert number.value == len(members.split()) == int(number.text), what
        elif number.source.startswith("chance:"):
            _, level, many = number.source.split(":")
            assert number.value == pytest.approx((1 - int(level) / 100) * int(many))
        elif number.source.startswith("settings/"):
            assert number.value == getattr(run.survey.method, number.source.split("/")[1])
        else:
            value = look_up(run, number.source)
            assert value == number.value, number.source
            shown = number.text.removeprefix("under ").rstrip("% ▲▼").replace(",", "")
            share = number.source.endswith(("_rate", "/p_outside", "/p_band"))
            scale = 100 if number.text.endswith("%") and share else 1
            if number.text.startswith("under "):
                assert 0 <= value * scale < float(shown)
                checked += 1
                continue
            assert float(shown) == pytest.approx(value * scale, abs=0.5001 if number.text.endswith("%") else 0.0501)
        checked += 1
    return checked


def test_every_number_is_a_reference_to_a_result(run: Run) -> None:
    assert check_numbers(run, "Z01") > 300
    assert check_numbers(run, most_withheld(run)) > 200
    assert check_numbers(run, MERGED) > 150


def test_every_number_of_the_service_groups_is_a_reference(run: Run) -> None:
    assert check_numbers(run, "Z01", "service-groups") > 400
    assert check_numbers(run, most_withheld(run), "service-groups") > 20
    assert check_numbers(run, "Z53", "service-groups") >= 0


def test_every_number_of_the_annex_is_a_reference(run: Run, official: Run) -> None:
    for one, least in ((run, 600), (official, 150)):
        report = method_annex(one.public, one.survey)
        first = next(iter(one.organisations))
        assert check_report(one, report, first) > least


def test_every_number_of_an_official_report_is_a_reference(official: Run) -> None:
    assert check_numbers(official, "RAN") > 400


def test_counts_of_bands_are_the_results(run: Run) -> None:
    for code in ("Z01", most_withheld(run)):
        report = run.report(code).report
        rows = run.scores.filter(
            (pl.col("organisation") == code)
            & (pl.col("year") == 2024)
            & (pl.col("group") == "all")
            & (pl.col("kind") == "question")
        )
        bands = rows["band"]
        expected = {
            "better": (bands > 4).sum(),
            "worse": (bands < 4).sum(),
            "same": (bands == 4).sum(),
            "unbanded": bands.null_count(),
            "questions": 35,
        }
        found = 0
        for number in numbers_of(report):
            match = re.match(r"count:(\w+):", number.source)
            if match and match.group(1) in expected:
                assert number.value == expected[match.group(1)]
                found += 1
        assert found >= 4
        bars = next(b.chart for b in blocks_of(report) if isinstance(b, Figure) and isinstance(b.chart, CountBars))
        assert sum(n for _, n, _ in bars.rows) == 35


def test_digits_in_sentences_come_from_results_or_are_part_of_a_name(run: Run) -> None:
    """A figure typed into a sentence could disagree with the table; only years, codes and fixed terms may stand there."""
    allowed = re.compile(
        r"\bQ\d+(_\d)?\b|\bS\d\d\b|\b20\d\d\b|\bSection \d+|\b\d{1,2} (April|May)\b|\bSHA-256\b|\bout of 10\b|\baged 16\b|\b[0-9a-f]{16}\b"
    )
    for page in run.report("Z01").report.pages:
        if page.kind in ("scored", "interpret", "method", "inferred", "using", "terms"):
            continue  # these explain the method, with its own fixed figures
        for block in blocks_of(Report("", "", "", "", "", (page,), "")):
            texts = [*texts_of(block)]
            for text in texts:
                if isinstance(text, Text):
                    literal = "".join(p for p in text.parts if isinstance(p, str))
                    left = allowed.sub("", literal)
                    for question in run.survey.questions:
                        left = left.replace(question.base, "").replace(question.excluded or "\0", "")
                        left = left.replace(question.label, "").replace(question.short or "\0", "")
                    assert not re.search(r"\d", left.replace("19 times in 20", "").replace("95%", "")), literal


def test_page_kinds_are_all_there(run: Run) -> None:
    kinds = [p.kind for p in run.report("Z01").report.pages]
    for kind in (
        "cover", "glance", "scorecard", "changes", "contents", "background", "terms", "using", "who", "summary", "best",
        "poster", "scored", "interpret", "section", "change", "change-questions", "comparison", "method", "inferred", "figures",
    ):  # fmt: skip
        assert kind in kinds, kind
    assert kinds.count("section") == 13


def test_the_first_page_has_five_sentences(run: Run, official: Run) -> None:
    for report in (run.report("Z01").report, run.report(MERGED).report, official.report("RAN").report):
        page = next(p for p in report.pages if p.kind == "glance")
        bullets = page.blocks[0]
        assert isinstance(bullets, Bullets)
        assert len(bullets.items) == 5
        # One sentence each: a full stop only at the end (figures and "1.5" apart).
        assert all(len(re.findall(r"[.!?](\s|$)", plain(t))) == 1 for t in bullets.items)


def test_a_withheld_score_is_told_and_nowhere_shown(run: Run) -> None:
    code = most_withheld(run)
    report = run.report(code).report
    text = words(report)
    assert "Fewer than 30 service users gave an answer that counts." in text
    for block in blocks_of(report):
        if isinstance(block, Figure) and isinstance(block.chart, BandStrip) and block.chart.own is None:
            assert "not shown" in block.chart.alt
            assert block.chart.segments() == ()
            break
    else:
        raise AssertionError("no strip without a score")


def test_trusts_without_history_have_the_printed_reason(run: Run) -> None:
    for code, reason in ((MERGED, "formed after 2023"), (EXCLUDED, "error in its sample")):
        report = run.report(code).report
        assert reason in words(report)
        assert not any(isinstance(b, Figure) and isinstance(b.chart, TrendLines) for b in blocks_of(report))


def test_a_predecessors_code_never_matches_silently(run: Run) -> None:
    merged = run.changes.filter(pl.col("organisation") == MERGED)
    assert merged["verdict"].null_count() == merged.height
    assert set(merged["status"]) == {"not comparable"}
    assert set(run.changes["organisation"]) == set(run.organisations)


def test_codes_stand_plainly_where_there_is_no_wording(wordless: Path) -> None:
    report = open_run(wordless).report("R1H").report
    text = words(report)
    assert "Q4 (Q4)" not in text
    assert "Section 2 (S02)" in " ".join(p.title for p in report.pages)


def test_recalled_wording_of_an_official_survey_is_marked(official: Run) -> None:
    """Every question has words, none of them confirmed, and the report says so where it says what was inferred."""
    report = official.report("R1H").report
    assert all(q.text and q.unsure_wording for q in official.survey.scored)
    headings = [b.text for b in blocks_of(report) if isinstance(b, Heading) and b.anchor.startswith("q-")]
    assert len(headings) == 45 and all(h.endswith(" *") for h in headings)
    assert "Wording of questions and titles of sections are recalled" in words(report)


def test_ranked_bars_colour_each_trust_by_its_own_band(run: Run) -> None:
    report = run.report("Z01").report
    charts = [b.chart for b in blocks_of(report) if isinstance(b, Figure) and isinstance(b.chart, RankedBars)]
    assert len(charts) == 13
    bands = {
        (r["organisation"], r["measure"]): r["band"]
        for r in run.scores.filter((pl.col("group") == "all") & (pl.col("year") == 2024)).iter_rows(named=True)
    }
    for chart, section in zip(charts, run.survey.sections, strict=True):
        assert [b.value for b in chart.bars] == sorted(b.value for b in chart.bars)
        assert sum(b.own for b in chart.bars) <= 1
        assert all(bands[b.label, section.code] == b.band for b in chart.bars)
        assert len(chart.table()[1]) == len(chart.bars)


def test_every_chart_has_alt_text_and_a_table(run: Run) -> None:
    for block in blocks_of(run.report(most_withheld(run)).report):
        if isinstance(block, Figure):
            assert len(block.chart.alt) > 20
            header, rows = block.chart.table()
            assert rows and all(len(r) == len(header) for r in rows)


def test_the_contact_is_left_out_or_printed(run: Run) -> None:
    from stocktake.reports.trust_benchmark import trust_benchmark

    assert "Questions about the survey" not in words(run.report("Z01").report)
    output = trust_benchmark(run.results, run.survey, "Z01", contact="survey.lead@example.org")
    assert "survey.lead@example.org" in words(output)


def test_an_unknown_organisation(run: Run) -> None:
    from stocktake.problems import StocktakeError

    with pytest.raises(StocktakeError, match="Did you mean 'Z01'"):
        run.report("z01")


def test_an_organisation_of_which_nothing_can_be_shown(tmp_path: Path) -> None:
    """One page says so, and no page has a chart of its own or a best result."""
    import stocktake as st
    from helpers import small_survey

    survey = small_survey({"S01": [3, 3]})
    frame = pl.DataFrame(
        {
            "organisation": ["A"] * 60 + ["B"] * 60 + ["C"] * 4,
            "kind": [1, 2] * 62,
            "Q1": [1, 2, 3, 1] * 31,
            "Q2": [3, 2, 1, None] * 31,
        }
    )
    run = st.benchmark(instrument=survey, responses=frame, settings={"minimum_base": 10})
    report = run.report("C").report
    kinds = [p.kind for p in report.pages]
    assert "nothing" in kinds
    assert not {"glance", "best", "poster", "section", "change"} & set(kinds)
    assert not any(isinstance(b, Figure) for b in blocks_of(report))
    run.report("C").write_pdf(tmp_path / "c.pdf")
    assert "nothing" not in [p.kind for p in run.report("A").report.pages]


def test_the_notice_stands_where_a_reader_begins(run: Run) -> None:
    report = run.report("Z01").report
    assert report.notice.startswith("Invented data")
    assert report.notice in words(Report("", "", "", "", "", tuple(p for p in report.pages if p.kind == "glance"), ""))
    assert report.notice in words(Report("", "", "", "", "", tuple(p for p in report.pages if p.kind == "poster"), ""))


def test_wording_that_is_not_confirmed_is_marked(run: Run) -> None:
    report = run.report("Z01").report
    headings = [b.text for b in blocks_of(report) if isinstance(b, Heading)]
    assert any(h.startswith("Q8.") and h.endswith(" *") for h in headings)
    assert not any(h.startswith("Q18.") and h.endswith(" *") for h in headings)
    assert "not confirmed by a published source" in words(report)


def test_a_result_on_the_other_side_of_the_average_says_so(official: Run) -> None:
    """Where even the lowest result lies above the average, the sentence and the lists say it."""
    for code in official.organisations:
        report = official.report(code).report
        first = next(p for p in report.pages if p.kind == "glance").blocks[0]
        assert isinstance(first, Bullets)
        sentence = plain(first.items[3])
        numbers = [p for p in first.items[3].parts if isinstance(p, Number)]
        assert ("above the average all the same" in sentence) == (numbers[0].value > numbers[1].value)


def test_percentages_of_a_few_are_not_zero() -> None:
    from stocktake.reports.words import per_cent

    assert [per_cent(v) for v in (None, 0, 0.2, 0.5, 49.5)] == ["-", "0%", "under 1%", "1%", "50%"]


def test_links_lead_somewhere(run: Run) -> None:
    report = run.report(most_withheld(run)).report
    anchors = {p.anchor for p in report.pages} | {b.anchor for b in blocks_of(report) if isinstance(b, Heading)}
    found = 0
    for block in blocks_of(report):
        for text in texts_of(block):
            for part in text.parts if isinstance(text, Text) else ():
                if isinstance(part, Link) and part.anchor:
                    assert part.anchor in anchors
                    found += 1
    assert found > 35
