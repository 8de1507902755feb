"""What the further editions say: service groups by their own rules, firmness, the site's lists, and workbooks as values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl
import pytest

from helpers import most_withheld
from stocktake.compare.firmness import most_by_chance
from stocktake.render.svg import draw
from stocktake.render.theme import Theme
from stocktake.render.web.rows import change_rows
from stocktake.reports import firm_pages
from stocktake.reports.books import CONFIDENTIAL, MARKERS, NOT_APPLICABLE, UNAVAILABLE, Book
from stocktake.reports.charts import BandStrip, PlainBars, RankedBars
from stocktake.reports.facts import OrganisationResults
from stocktake.reports.firm_pages import firm_table, unusual
from stocktake.reports.group_results import GroupResults, group_results
from stocktake.reports.heat_map import heat_map
from stocktake.reports.model import Figure, Page, Report, Table, blocks_of, plain, texts_of
from stocktake.reports.regions import region_map
from stocktake.reports.scorecard import change_chart, scorecard_chart
from stocktake.reports.site import measure_page, overview
from stocktake.reports.tables import national_book
from stocktake.reports.words import per_cent
from stocktake.run.core import Run, Unavailable, open_run


@pytest.fixture(scope="module")
def run(demo: Path) -> Run:
    return open_run(demo)


@pytest.fixture(scope="module")
def official(imported: Path) -> Run:
    return open_run(imported)


def chapter(report: Report, title: str) -> tuple[Page, ...]:
    return tuple(p for p in report.pages if p.chapter == title)


def charts(pages: tuple[Page, ...], kind: type) -> list[object]:
    part = Report("", "", "", "", "", pages, "")
    return [b.chart for b in blocks_of(part) if isinstance(b, Figure) and isinstance(b.chart, kind)]


def words(pages: tuple[Page, ...]) -> str:
    part = Report("", "", "", "", "", pages, "")
    return " ".join(plain(t) for b in blocks_of(part) for t in texts_of(b))


CHILDREN, ADULTS, OLDER = (
    "Child and adolescent mental health services",
    "Adult mental health services",
    "Older people's mental health services",
)


def test_each_service_group_has_its_own_rules(run: Run) -> None:
    report = run.report("Z01", "service-groups").report
    children, adults, older = (chapter(report, t) for t in (CHILDREN, ADULTS, OLDER))
    assert charts(children, PlainBars)
    assert not charts(children, RankedBars)
    assert not charts(children, BandStrip)
    assert not [p for p in children if p.kind in ("change", "comparison", "summary", "firmness")]
    assert len(charts(adults, RankedBars)) == 13
    assert len(charts(adults, BandStrip)) == 35
    assert not any(c.star for c in charts(adults, BandStrip) if isinstance(c, BandStrip))
    assert not charts(older, RankedBars)
    assert all(c.star for c in charts(older, BandStrip) if isinstance(c, BandStrip))
    for pages in (adults, older):
        assert [p.kind for p in pages].count("comparison") == 1
        assert [p for p in pages if p.kind == "change"]


def test_questions_left_out_for_all_are_named_and_not_asked_for(run: Run) -> None:
    report = run.report("Z01", "service-groups").report
    older = chapter(report, OLDER)
    assert "Q6, Q7, Q15, Q17, Q22_1, Q22_2, Q22_3, Q22_4, Q26, Q29, Q31, Q32 and Q38" in words(older)
    assert "Sections without any question left are not in this chapter: 1, 6 and 7." in words(older)
    assert "Q6." not in " ".join(h for p in older for h in [p.title])
    children = words(chapter(report, CHILDREN))
    for question in ("Q7", "Q29", "Q30", "Q31", "Q38"):
        assert question in children.split("these questions are left out:")[1].split(".")[0]


def test_each_group_has_its_own_average_and_weights(run: Run) -> None:
    now = run.measures.filter((pl.col("year") == 2024) & (pl.col("measure") == "Q39"))
    averages = dict(now.select("group", "centre").iter_rows())
    assert averages["AMHS"] != averages["OPMHS"] != averages["all"]
    assert averages["CAMHS"] is None
    rows = run.scores.filter((pl.col("group") == "CAMHS") & (pl.col("year") == 2024))
    assert rows["score"].drop_nulls().len() > 50
    for column in ("z", "band", "national_average", "lowest", "limit_better"):
        assert rows[column].null_count() == rows.height
    assert run.changes.filter(pl.col("group") == "CAMHS").height == 0


def test_a_trust_without_data_in_a_group_is_told_so_plainly(run: Run) -> None:
    pages = chapter(run.report("Z10", "service-groups").report, OLDER)
    assert [p.kind for p in pages] == ["no-data"]
    assert "nobody in it answered" in words(pages)
    # One whose respondents have no group at all has one page that says so, not three empty chapters.
    none = run.report("Z53", "service-groups").report
    assert [p.kind for p in none.pages] == ["cover", "no-data"]
    assert "no results by group" in words(none.pages)
    few = most_withheld(run)
    output = chapter(run.report(few, "service-groups").report, OLDER)
    assert [p.kind for p in output] == ["no-data"] or charts(output, BandStrip)


def test_editions_that_results_do_not_make_say_why(official: Run, wordless: Path) -> None:
    with pytest.raises(Unavailable, match="no service groups"):
        official.report("RAN", "service-groups")
    with pytest.raises(Unavailable, match="no wording"):
        open_run(wordless).report("RAN", "poster")
    assert "Not all descriptions of questions are confirmed" in words(official.report("RAN", "poster").report.pages)


def test_the_firmness_page_says_what_chance_would_do(run: Run, official: Run) -> None:
    facts = OrganisationResults(group_results(run.results, run.survey), "Z01")
    (page,) = firm_pages.firmness(facts)
    text = words((page,))
    assert "Of 35 questions with a band, about 3.5 would lie outside" in text
    outside = sum(len(facts.by_band[b]) for b in (1, 2, 3, 5, 6, 7))
    assert f"Here {outside} lie outside." in text
    table = next(b for b in blocks_of(Report("", "", "", "", "", (page,), "")) if isinstance(b, Table))
    assert len(table.rows) == outside
    assert table.header[2:] == (
        "Points to nearest limit",
        "Chance of lying outside",
        "Same band without any one",
        "People for next better band",
    )
    imported = OrganisationResults(group_results(official.results, official.survey), "RA9")
    (bare,) = firm_pages.firmness(imported)
    assert "drawn anew" not in words((bare,))


def test_false_discovery_is_a_setting_that_moves_no_band(run: Run, demo: Path) -> None:
    from stocktake.run.benchmark import benchmark

    survey = run.survey
    assert run.results.firmness["stands"].null_count() == run.results.firmness.height
    method = survey.method.model_copy(update={"false_discovery": 0.2, "draws": 0})
    strict = benchmark(
        instrument=survey.model_copy(update={"method": method}),
        responses=demo / "2024" / "responses.csv",
        sample=demo / "2024" / "sample.csv",
        organisations=demo / "organisations.csv",
        disclosure={"complementary": False},
    )
    firm = strict.results.firmness.filter((pl.col("group") == "all") & (pl.col("kind") == "question"))
    standing = firm.filter(pl.col("stands"))
    assert 0 < standing.height < firm.filter(pl.col("band") != 4).height
    assert standing["q_value"].max() <= 0.2
    assert (standing["band"] != 4).all()
    before = run.scores.filter((pl.col("year") == 2024) & (pl.col("group") == "all"))
    after = strict.scores.filter((pl.col("year") == 2024) & (pl.col("group") == "all"))
    assert before["band"].to_list() == after["band"].to_list()
    code = standing["organisation"][0]
    facts = OrganisationResults(group_results(strict.results, strict.survey), code)
    (page,) = firm_pages.firmness(facts)
    assert "With a false discovery rate of 20% (a setting)" in words((page,))
    # With no draws every probability is the normal approximation, and is called so.
    assert set(firm["probability_method"].drop_nulls()) == {"normal approximation"}


def test_the_sites_lists_hold_what_the_results_hold(run: Run) -> None:
    field = group_results(run.results, run.survey)
    places = dict.fromkeys(run.organisations, ("Mental health", "North"))
    lines = overview(field, run.organisations, places).lines
    assert [x.code for x in lines] == list(run.organisations)
    page = measure_page(field, "Q6", run.organisations, places)
    scores = run.scores.filter((pl.col("measure") == "Q6") & (pl.col("year") == 2024) & (pl.col("group") == "all"))
    shown = dict(scores.select("organisation", "score").iter_rows())
    place = [h for h, _ in page.listing.header].index("Score")
    assert {x.code: x.cells[place].sort for x in page.listing.lines} == shown
    assert page.ranked is not None and page.funnel is not None
    assert [d.score for d in page.ranked.dots] == sorted(v for v in shown.values() if v is not None)
    for point in page.funnel.points:
        z = (point.value - page.funnel.average) / point.spread
        beyond = sum(abs(z) > c for c in page.funnel.cuts)
        assert point.band == 4 + (beyond if z > 0 else -beyond)
    assert page.course is not None and len(page.course.years) == 2
    (region,) = page.regions
    banded = scores.filter(pl.col("band").is_not_null())["band"]
    assert (region.name, region.count) == ("North", scores["score"].count())
    assert region.average == pytest.approx(scores["score"].mean())
    assert (region.above, region.below) == ((banded > 4).sum(), (banded < 4).sum())
    drawn = region_map("Q6", page.regions)
    assert drawn is not None and [t.value for t in drawn.tiles] == [region.average]
    assert region_map("Q6", [replace(region, name="Atlantis")]) is None


def test_the_heat_map_is_the_bands_with_what_chance_would_give(run: Run) -> None:
    heat = heat_map(group_results(run.results, run.survey), run.organisations, {"Z01": ("trust", "North")})
    now = run.scores.filter((pl.col("year") == 2024) & (pl.col("group") == "all") & (pl.col("kind") == "question"))
    bands = {(o, m): b for o, m, b in now.select("organisation", "measure", "band").iter_rows()}
    assert [r.code for r in heat.rows] == list(run.organisations) and len(heat.questions) == 35
    assert (heat.rows[0].kind, heat.rows[0].region, heat.rows[1].region) == ("trust", "North", "")
    for row in heat.rows:
        own = [bands[row.code, q] for q, _ in heat.questions]
        assert list(row.bands) == own
        known = [b for b in own if b is not None]
        assert (row.above, row.below) == (sum(b > 4 for b in known), sum(b < 4 for b in known))
        assert row.chance == pytest.approx(0.1 * len(known)) and row.most == most_by_chance(len(known))


def test_most_unusual_is_by_size_of_z_with_its_direction(run: Run) -> None:
    facts = OrganisationResults(group_results(run.results, run.survey), "Z27")
    table = unusual(facts)
    assert table is not None
    sizes = [abs(float(plain(r[4]))) for r in table.rows]
    assert sizes == sorted(sizes, reverse=True) and len(sizes) == 10
    for row in table.rows:
        assert ("above" in plain(row[1])) == (float(plain(row[4])) > 0)


def test_every_band_on_the_web_says_how_firm_it_is(run: Run, official: Run) -> None:
    facts = OrganisationResults(group_results(run.results, run.survey), "Z01")
    table = firm_table(facts)
    assert table is not None and len(table.rows) == 48
    firm = {r["measure"]: r for r in facts.firmness.values()}
    for row, code in zip(table.rows, [*facts.questions, *(s.code for s in run.survey.sections)], strict=True):
        assert plain(row[4]) == per_cent(100 * firm[code]["p_band"])
        assert plain(row[6]) == ("yes" if firm[code]["survives"] else "no")
    bare = firm_table(OrganisationResults(group_results(official.results, official.survey), "RAN"))
    assert bare is not None
    # A published workbook has no answers: only the distances are known, and the other columns are not there.
    assert bare.header[2:] == ("Points to the next better band", "Points to the next worse band")
    assert plain(bare.rows[0][2]) != "-"


def every_cell(book: Book) -> list[object]:
    return [v for sheet in book.sheets for row in sheet.rows for v in row]


def test_workbooks_leave_no_cell_empty_and_explain_every_marker(run: Run, official: Run) -> None:
    few = most_withheld(run)
    books = [
        run.report("Z01").book,
        run.report(few).book,
        run.report("Z53", "service-groups").book,
        official.report("RAN").book,
        national_book(run.results, run.survey),
    ]
    marks = {m for m, _ in MARKERS}
    for book in books:
        cells = every_cell(book)
        assert None not in cells and "" not in cells
        assert {c for c in cells if isinstance(c, str) and c[:1] == "[" and len(c) == 3} <= marks
        assert len({s.name for s in book.sheets}) == len(book.sheets)
        assert all(len(s.name) <= 31 for s in (*book.sheets, *book.front()))
        for sheet in book.sheets:
            assert all(len(r) == len(sheet.columns) for r in sheet.rows)
            assert len({c.title for c in sheet.columns}) == len(sheet.columns)
    assert CONFIDENTIAL in every_cell(books[1])
    assert UNAVAILABLE in every_cell(books[3])
    assert NOT_APPLICABLE in every_cell(books[0])


def test_no_figure_of_a_workbook_has_decimals_that_nobody_can_use(run: Run, official: Run) -> None:
    """Differences of decimal figures and the figures of a published workbook have up to sixteen."""
    for one, code in ((run, "Z20"), (official, next(iter(official.organisations)))):
        figures = [c for c in every_cell(one.report(code).book) if isinstance(c, float)]
        assert figures and [f for f in figures if f != round(f, 6)] == []


def test_the_interval_of_a_change_is_named_by_the_level_of_its_test(run: Run) -> None:
    strict = replace(run, survey=run.survey.model_copy(update={"method": run.survey.method.model_copy(update={"change_level": 0.99})}))  # fmt: skip
    for one, level in ((run, "95%"), (strict, "99%")):
        chart = change_chart(OrganisationResults(GroupResults(one.public, one.survey), "Z01"))
        assert chart is not None and chart.table()[0][4] == f"{level} interval"
        assert f"{level} interval of the difference" in draw(chart, Theme(), 757)
        assert f'<th scope="col">{level} interval</th>' in change_rows(chart, True)
        bare = replace(chart, rows=tuple(replace(r, low=None, high=None) for r in chart.rows))
        assert "interval</th>" not in change_rows(bare, True) and change_rows(bare, True).count("<td>") == 5 * len(
            bare.rows
        )
        sheet = next(s for s in one.report("Z01").book.sheets if s.name == "Change")
        assert [c.title for c in sheet.columns if "interval" in c.title] == [f"{level} interval, lower", f"{level} interval, upper"]  # fmt: skip


def test_what_a_question_is_about_is_whole_on_the_sheets_of_all(run: Run) -> None:
    facts = OrganisationResults(group_results(run.public, run.survey), "Z01")
    changes = change_chart(facts)
    assert changes is not None
    for chart in (scorecard_chart(facts), changes):
        drawn = draw(chart, Theme(), 757)
        assert "…" not in drawn and all(f">{escape(r.label)}<" in drawn for r in chart.rows)


def test_a_workbook_holds_the_public_results(run: Run) -> None:
    sheet = run.report("Z01").book.sheets[0]
    titles = [c.title for c in sheet.columns]
    mine = (pl.col("organisation") == "Z01") & (pl.col("year") == 2024) & (pl.col("group") == "all")
    rows = run.public.scores.filter(mine)
    by_code = {r["measure"]: r for r in rows.iter_rows(named=True)}
    for line in sheet.rows:
        row = by_code[str(line[0])]
        for title, column in (
            ("Score", "score"), ("z", "z"), ("Standard error", "standard_error"), ("Effective base", "effective_base"),
        ):  # fmt: skip
            if row[column] is not None:
                assert line[titles.index(title)] == row[column]
    assert len(sheet.rows) == 48


def test_an_edition_is_the_same_report_whatever_it_is_written_as(run: Run) -> None:
    output = run.report("Z02")
    assert output.report is output.report
    assert replace(output).report == output.report


def test_what_a_source_never_published_has_no_column_and_is_named(official: Run) -> None:
    """A workbook of official figures leaves out columns without a figure and comparisons that nobody has, and says so."""
    results = official.public
    sheets = {s.name: s for s in national_book(results, official.survey).sheets}
    titles = {name: {c.title for c in s.columns} for name, s in sheets.items()}
    for name, gone, column, table in (
        ("Scores", "Standard error", "standard_error", results.scores),
        ("Change", "Critical value", "critical", results.changes),
        ("Firmness", "Chance of its own band", "p_band", results.firmness),
    ):
        assert table[column].null_count() == table.height and gone not in titles[name]
        assert any("Not published by the source" in line and gone in line for line in sheets[name].about)
    assert {"Score", "z", "Band"} <= titles["Scores"]
    anyone = pl.col("difference").is_not_null().any().over("group", "measure", "year_then", "year_now")
    kept = results.changes.filter(anyone)
    assert sheets["Change"].height == kept.height < results.changes.height
    assert any(f"Left out: {results.changes.height - kept.height:,} rows" in line for line in sheets["Change"].about)
