"""Every page kind as PDF/UA-1, for every kind of trust; and what must never change or break."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import page as checker
import pikepdf
import polars as pl
import pypdfium2
import pytest
from pptx import Presentation

from helpers import most_withheld
from stocktake.problems import StocktakeError
from stocktake.render.pdf import pdf_bytes
from stocktake.render.theme import Theme, load_theme
from stocktake.reports.method_annex import method_annex
from stocktake.reports.model import Aside, Figure, Heading, Page, Poster, Report, Table, paragraph
from stocktake.run.core import Run, open_run
from stocktake.survey.simulate import MERGED


@pytest.fixture(scope="module")
def run(demo: Path) -> Run:
    return open_run(demo)


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(p.get_textpage().get_text_range() for p in document)


def check_ua(pdf: bytes, tables_at_least: int = 20) -> None:
    report = checker.validate_pdf_bytes(pdf, profile=checker.ValidationProfile.PDF_UA_1)
    assert report.is_compliant, [f"{f.rule_id} {f.message}" for f in report.failures[:5]]
    document = pikepdf.open(io.BytesIO(pdf))
    assert str(document.Root.Lang) == "en-GB"
    assert document.Root.ViewerPreferences.DisplayDocTitle
    # The checker does not miss a table's header row, but would not mind cells in its place.
    tables = headers = 0
    stack: list[Any] = [document.Root.StructTreeRoot]
    while stack:
        node = stack.pop()
        if isinstance(node, pikepdf.Array):
            stack.extend(node)
        elif isinstance(node, pikepdf.Dictionary):
            kind = str(node.get("/S", ""))
            tables += kind == "/Table"
            headers += kind == "/TH"
            if kind == "/Figure":
                assert len(str(node.get("/Alt", ""))) > 20
            if "/K" in node:
                stack.append(node["/K"])
    assert headers >= tables >= tables_at_least


def test_pdf_ua_for_every_page_kind(run: Run) -> None:
    for code in ("Z01", most_withheld(run), MERGED):
        check_ua(pdf_bytes(run.report(code).report, Theme()))


def test_pdf_ua_for_official_trusts(imported: Path) -> None:
    """One with withheld Q7 and S02, one with clipped limits, one with no history."""
    run = open_run(imported)
    for code in ("RAN", "R1H", "RH8"):
        check_ua(pdf_bytes(run.report(code).report, Theme()))


def test_pdf_ua_for_every_other_edition(run: Run) -> None:
    """Service groups with all, few and no results, posters in both sizes, and the method annex."""
    for code in ("Z01", most_withheld(run), "Z53"):
        check_ua(pdf_bytes(run.report(code, "service-groups").report, Theme()), 0 if code == "Z53" else 3)
    for paper in ("a3", "a4"):
        pdf = pdf_bytes(run.report("Z01", "poster").report, Theme(), paper)
        check_ua(pdf, 0)
        document = pypdfium2.PdfDocument(pdf)
        width, height = document[0].get_size()
        assert (round(width), round(height)) == {"a3": (1191, 842), "a4": (842, 595)}[paper]
        assert len(document) == 1
    annex = method_annex(run.results, run.survey)
    check_ua(pdf_bytes(annex, Theme()), 4)


def test_a_report_has_few_sheets_and_two_that_carry_it(run: Run) -> None:
    """45 at most, whoever it is about; the scorecard and the changes are one sheet each, early on."""
    for code in ("Z13", most_withheld(run)):
        document = pypdfium2.PdfDocument(run.report(code).as_bytes(".pdf"))
        assert len(document) <= 45, code
        heads = [page.get_textpage().get_text_range()[:400] for page in document]
        scorecard = next(i for i, t in enumerate(heads) if "Every question on one page" in t)
        changes = next(i for i, t in enumerate(heads) if "What has changed since 2023" in t)
        assert (scorecard, changes) == (2, 3) and "Contents" in heads[4]
        assert f"({code})" in heads[scorecard]


def test_a_board_has_ten_slides_at_most(run: Run, imported: Path) -> None:
    for one, code in ((run, "Z13"), (open_run(imported), "RAN")):
        deck = Presentation(io.BytesIO(one.report(code, "board").as_bytes(".pptx")))
        assert 7 <= len(deck.slides) <= 10, (code, len(deck.slides))
        titles = [s.shapes.title.text_frame.text for s in deck.slides]
        assert titles[1] == "The result in five sentences" and "Every question on one page" in titles[2]
        check_ua(one.report(code, "board").as_bytes(".pdf"), 1)


@pytest.mark.parametrize("lines", [0, 1, 6])
def test_a_poster_has_room_for_actions(run: Run, lines: int) -> None:
    """One sheet whatever is asked for, with so many lines to write on."""
    told = replace(run, settings=run.settings.model_copy(update={"poster_actions": lines}))
    for paper in ("a4", "a3"):
        document = pypdfium2.PdfDocument(told.report("Z01", "poster").as_bytes(".pdf", paper))  # type: ignore[arg-type]
        assert len(document) == 1
        assert ("What we will do" in document[0].get_textpage().get_text_range()) is (lines > 0)
    poster = next(b for b in told.report("Z01").report.pages if b.kind == "poster").blocks[0]
    assert isinstance(poster, Poster) and poster.actions == lines
    deck = Presentation(io.BytesIO(told.report("Z01", "poster").as_bytes(".pptx")))
    words = " ".join(s.text_frame.text for s in deck.slides[0].shapes if s.has_text_frame)
    assert ("What we will do" in words) is (lines > 0)


def test_a_poster_has_contact_details_only_where_there_are_any(run: Run) -> None:
    without = text_of(pdf_bytes(run.report("Z01", "poster").report, Theme()))
    assert "Questions about the survey" not in without
    settings = run.settings.model_copy(update={"contacts": {"Z01": "survey.lead@example.org"}})
    own = replace(run, settings=settings)
    output = text_of(pdf_bytes(own.report("Z01", "poster").report, Theme()))
    assert "Questions about the survey: survey.lead@example.org" in output.replace("\r\n", " ")
    assert "example.org" not in text_of(pdf_bytes(own.report("Z02", "poster").report, Theme()))


def test_the_same_results_give_the_same_bytes(run: Run, demo: Path) -> None:
    first = pdf_bytes(run.report("Z02").report, Theme())
    again = open_run(demo)
    assert pdf_bytes(again.report("Z02").report, Theme()) == first


def test_the_pages_say_what_the_results_say(run: Run) -> None:
    text = text_of(pdf_bytes(run.report("Z01").report, Theme()))
    row = run.scores.filter(
        (pl.col("organisation") == "Z01")
        & (pl.col("measure") == "Q6")
        & (pl.col("year") == 2024)
        & (pl.col("group") == "all")
    ).row(0, named=True)
    assert "Alderwick Partnership NHS Trust" in text
    assert f"You {row['score']:.1f}" in text
    assert "Lorem" not in text and "INSERT" not in text and "None" not in text and "nan" not in text.lower().split()


def tiny(title: str, *blocks: Any) -> Report:
    page = Page("test", title, blocks, "a", "Chapter")
    return Report("Report", "Sub", title, "X", "", (Page("cover", title, ()), page), "d")


NASTY = (
    '=cmd|"/c calc"!A1',
    "@SUM(1)",
    "<script>alert(1)</script>",
    "\"quotes\" and 'more' \\ # $x$ *b* _i_ `c` @ref ~ [x] {y} // -- /*",
    "#pagebreak() #panic()",
    "אבג \u202eright to left",
    "Long " * 60,
)


@pytest.mark.parametrize("name", [n for n in NASTY if "א" not in n])
def test_names_and_labels_are_shown_as_text(name: str) -> None:
    report = tiny(
        name,
        paragraph("About {x}.", x=name),
        Heading(name),
        Table(name, (name, "B"), ((name, "2"),)),
        Aside((paragraph("{x}", x=name), paragraph(name))),
    )
    pdf = pdf_bytes(report, Theme())
    squeezed = "".join(text_of(pdf).split())
    assert "".join(name.split())[:40] in squeezed
    assert checker.validate_pdf_bytes(pdf, profile=checker.ValidationProfile.PDF_UA_1).is_compliant


def test_a_character_that_the_font_lacks_is_told() -> None:
    """Never a box in place of a letter: the font must have it, or the report says so."""
    with pytest.raises(StocktakeError, match="cannot be made"):
        pdf_bytes(tiny("漢字", paragraph("漢字")), Theme())


def test_charts_escape_names() -> None:
    from stocktake.render.svg import draw
    from stocktake.reports.charts import ShareBars

    svg = draw(ShareBars((('<script>&"', 50.0, None),), 'Alt with <b> & "quotes" in it'), Theme(), 300)
    assert "<script>" not in svg and "&lt;script&gt;" in svg
    import xml.etree.ElementTree as ET

    ET.fromstring(svg)


def test_a_users_theme(tmp_path: Path, run: Run) -> None:
    (tmp_path / "logo.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20"><rect width="60" height="20" fill="#123456"/></svg>'
    )
    (tmp_path / "theme.yaml").write_text(
        'accent: "#7A1F5C"\nlogo: logo.svg\nlogo_alt: The logo of our trust, a dark bar\n'
    )
    theme = load_theme(tmp_path / "theme.yaml")
    pdf = pdf_bytes(run.report("Z03").report, theme)
    assert checker.validate_pdf_bytes(pdf, profile=checker.ValidationProfile.PDF_UA_1).is_compliant
    assert pdf != pdf_bytes(run.report("Z03").report, Theme())


def test_a_font_that_is_not_there_is_refused(run: Run) -> None:
    with pytest.raises(StocktakeError, match="font"):
        pdf_bytes(tiny("A", paragraph("B")), Theme(font="No Such Font"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accent: blue", "line 1, accent"),
        ("logo: nowhere.svg\nlogo_alt: x", "no such file"),
        ("logo: theme.yaml", "say what the logo shows"),
        ("colour: x", "colour"),
    ],
)
def test_mistakes_in_a_theme(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "theme.yaml").write_text(text)
    with pytest.raises(StocktakeError, match=expected):
        load_theme(tmp_path / "theme.yaml")
    with pytest.raises(StocktakeError, match="no such theme"):
        load_theme(tmp_path / "other.yaml")


def test_colours_meet_contrast_rules() -> None:
    """Words on paper at least 4.5 to 1; marks inside a band at least 3 to 1 on its colour."""
    from stocktake.render.theme import OUTLINE, contrast, ink_on

    theme = Theme()
    for words in (theme.accent, theme.ink, theme.soft, theme.own, theme.average):
        assert contrast(words, "#FFFFFF") >= 4.5
    for band in theme.band_colours:
        assert contrast(ink_on(band), band) >= 4.5
    assert contrast(OUTLINE, "#FFFFFF") >= 3


def test_figures_keep_their_width() -> None:
    """No chart is wider than the room it is given."""
    from stocktake.render.svg import draw
    from stocktake.reports.charts import BandStrip

    for own in (0.0, 5.0, 10.0):
        svg = draw(
            BandStrip((1, 2, 3, 7, 8, 9), 0.0, 10.0, own, 9.9 if own else 0.1, 4, "A strip with its mark at the end"),
            Theme(),
            300,
        )
        assert 'width="300"' in svg
    assert isinstance(
        Figure(BandStrip(None, 5, 5, None, 5, None, "Nothing to see in this strip")).chart.segments(), tuple
    )
