"""The site of trends: the three pages of the publication that is its model, every question, and who can use them."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import jsonschema
import openpyxl
import page as checker
import pikepdf
import polars as pl
import pypdfium2
import pytest
import yaml
from openxml_audit import OpenXmlValidator
from PIL import Image

from hostile import LABEL
from made_once import made_once
from pages.test_site import links_of
from small_trends import definition, write_trends
from stocktake.render.pdf import pdf_bytes
from stocktake.reports.model import numbers_of
from stocktake.run.serve import server
from stocktake.run.trend_site import make_trend_site, own_shares, page_codes, page_of
from stocktake.run.trends import TrendRun, make_trend_results, open_trends

MAKE = """
import sys
from pathlib import Path
from stocktake.run.trends_demo import history_folder
from stocktake.run.trends import make_trend_results
from stocktake.run.trend_site import make_trend_site
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    history_folder(folder, latest=Path(sys.argv[2]))
    path = folder / "trends.yaml"
    text = path.read_text("utf-8")
    # Fewer breakdowns than the demo has, for time.
    begin = text.index("breakdowns:")
    path.write_text(text[:begin] + "breakdowns: [age, sex, ethnicity]\\npairs: [[age, sex]]\\n", "utf-8")
    make_trend_results(folder)
    make_trend_site(folder)
"""
INDICATORS = ("overall-experience", "support", "care-coordinator")


@pytest.fixture(scope="session")
def trends(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(folder: Path) -> None:
        subprocess.run([sys.executable, "-c", MAKE, str(folder), str(demo)], check=True)

    return made_once(tmp_path_factory, "trends", make)


@pytest.fixture(scope="module")
def run(trends: Path) -> TrendRun:
    return open_trends(trends)


@pytest.fixture(scope="module")
def address(trends: Path) -> Iterator[str]:
    with server(trends / "site", 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://localhost:{running.server_port}/"
        running.shutdown()


def words_of(run: TrendRun, code: str) -> str:
    return re.sub(r"<[^>]*>", "", (run.folder / "site" / "pages" / f"{code}.html").read_text("utf-8"))


def test_the_three_pages_say_what_the_publication_said(run: TrendRun) -> None:
    """Published of those years: 20% gave a 10 in 2017, 2 points more than in 2013; 36% had no help with physical health
    in 2017, 44% on average none with work, 37% none with money in 2012 and 45% in 2017; 3% to 4% could not contact."""
    share = {(s, line, y): r["percent"] for (s, line), years in run.facts.everybody.items() for y, r in years.items()}
    assert round(share["overall", "ten", 2017]) == 20 and round(share["overall", "ten", 2013]) == 18
    assert round(share["overall", "zero", 2017] - share["overall", "zero", 2013]) == 1
    for line in ("seven", "eight", "nine"):
        assert share["overall", line, 2013] - share["overall", line, 2017] == pytest.approx(1.5, abs=0.25)
    assert round(share["help-physical", "none", 2017]) == 36
    work = [share["help-work", "none", y] for y in range(2012, 2018)]
    assert round(sum(work) / 6) == 44
    assert (round(share["help-money", "none", 2012]), round(share["help-money", "none", 2017])) == (37, 45)
    assert {round(share["contact", "not", y]) for y in range(2012, 2018)} == {3, 4}
    physical = [share[s, "none", 2017] for s in ("help-physical", "help-work", "help-money")]
    assert min(physical) == physical[0]
    assert run.untrue == []
    said = words_of(run, "overall-experience")
    assert "In 2017, 20.0% of people gave a 10" in said and "Invented data" in said
    assert "2014: not comparable with the years before" in said
    assert "The wording changed slightly in 2014" in words_of(run, "care-coordinator")
    assert "Last updated: 27 November 2026. Next update: November 2027." in said


def test_every_question_has_its_page_and_files(run: TrendRun) -> None:
    site = run.folder / "site"
    codes = page_codes(run)
    assert codes[:3] == list(INDICATORS) and len(codes) == len(set(codes)) == 64
    asked = {(s, q) for s, q in run.results.tables["series"].select("survey", "question").unique().iter_rows()}
    # Every question with options of every instrument.
    assert len(asked) == 11 + 16 + 47
    for code in codes:
        for name in (
            f"pages/{code}.html",
            f"data/{code}.csv",
            f"data/{code}.xlsx",
            f"pdf/{code}.pdf",
            f"images/{code}.png",
            f"images/{code}.svg",
        ):
            assert (site / name).is_file(), name
    index = (site / "index.html").read_text("utf-8")
    assert all(f'href="pages/{code}.html"' in index for code in codes)


def test_programs_are_served(run: TrendRun) -> None:
    """A document a page, of the shape that it says, with the public figures of its answers; and every table twice."""
    site = run.folder / "site"
    api = site / "api" / "v1"
    shape = json.loads((api / "page.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(shape)
    listed = [p["code"] for p in json.loads((api / "index.json").read_text("utf-8"))["pages"]]
    assert sorted(listed) == sorted(page_codes(run))
    for code in listed:
        told = json.loads((api / "pages" / f"{code}.json").read_text("utf-8"))
        jsonschema.validate(told, shape)
        assert [s.get("percent") for s in told["shares"]] == [
            None if v is None else round(v, 4) for v in own_shares(run, code)["percent"].to_list()
        ]
    with zipfile.ZipFile(site / "data" / "tidy-tables.zip") as archive:
        meta = json.loads(archive.read("csv-metadata.json"))
        for table in meta["tables"]:
            text = archive.read(table["url"]).decode("utf-8")
            name = table["url"].removesuffix(".csv")
            assert text.split("\n", 1)[0].split(",") == [c["name"] for c in table["tableSchema"]["columns"]]
            assert pl.read_parquet(site / "data" / f"{name}.parquet").equals(run.public.tables[name])
            keys = table["tableSchema"]["primaryKey"]
            assert not run.public.tables[name].select(keys).is_duplicated().any(), name


def test_lists_say_the_latest_figure_and_how_it_changed(run: TrendRun) -> None:
    """What stands beside a question in the list is the change from the first year that compares, as the table has it."""
    changes, said = run.public.tables["share_changes"], 0
    first = (run.folder / "site" / "index.html").read_text("utf-8")
    for code in page_codes(run):
        page = page_of(run, code)
        found = re.fullmatch(r"([▲▼]) ([+-][\d.]+) points since (\d{4})", page.course)
        if found is None:
            continue
        year = int(page.latest.rsplit(" ", 1)[1])
        rows = changes.filter(
            (pl.col("breakdown") == "all") & (pl.col("year_then") == int(found[3])) & (pl.col("year_now") == year)
            & (pl.col("verdict") != "no clear change")
        )  # fmt: skip
        assert any(f"{r['points']:+.1f}" == found[2] for r in rows.iter_rows(named=True)), code
        assert (found[1] == "▲") is (found[2][0] == "+")
        assert f"{page.latest}; {page.course}" in first
        said += 1
    assert said > 3


def test_every_link_leads_somewhere(run: TrendRun) -> None:
    site = run.folder / "site"
    files = {str(p) for p in site.rglob("*") if p.is_file()}
    pages = {p: links_of(p) for p in files if p.endswith(".html")}
    # The last is the page in place of one that there is not.
    assert len(pages) == 64 + 5
    for page, found in pages.items():
        assert len(set(found.ids)) == len(found.ids), page
        for link in set(found.links):
            if link.startswith(("http", "data:")):
                continue
            path, anchor = urldefrag(link)
            target = os.path.normpath(Path(page).parent / unquote(path)) if path else page
            assert target in files, (page, link)
            if anchor:
                assert unquote(anchor) in pages[target].ids, (page, link)


def test_every_number_is_a_public_figure(run: TrendRun) -> None:
    """Each figure that a page states is one of the public tables, and is stated as it is there."""
    tables = run.public.tables
    known = {
        round(v, 6)
        for name in ("shares", "share_changes", "courses", "share_differences")
        for column, kind in tables[name].schema.items()
        if kind.is_numeric()
        for v in tables[name][column].drop_nulls().to_list()
    }
    for code in page_codes(run):
        for number in numbers_of(page_of(run, code).report):
            if (
                number.source.startswith(("standard/", "series/"))
                or " against " in number.source
                or "mean of" in number.source
            ):
                continue
            assert round(abs(number.value), 6) in known or round(-abs(number.value), 6) in known, (code, number)


def test_what_is_withheld_is_in_no_file(run: TrendRun) -> None:
    """Neither a percentage nor a count: in CSV and workbooks the cells are empty or marked."""
    shares = run.public.tables["shares"]
    withheld = shares.filter(pl.col("status") == "withheld")
    assert withheld.height > 50 and "count" not in shares.columns
    assert all(withheld[c].null_count() == withheld.height for c in ("percent", "lower_95", "upper_95"))
    site = run.folder / "site"
    for code in dict.fromkeys(withheld["series"].to_list()):
        own = pl.read_csv(site / "data" / f"{code}.csv", infer_schema_length=None)
        assert own.filter((pl.col("status") == "withheld") & pl.col("percent").is_not_null()).is_empty()
        book = openpyxl.load_workbook(site / "data" / f"{code}.xlsx", read_only=True)
        rows = list(book["Percentages"].iter_rows(values_only=True))
        head = next(i for i, r in enumerate(rows) if "Per cent" in r)
        place, why = rows[head].index("Per cent"), rows[head].index("Remark")
        marked = [r[place] for r in rows[head + 1 :] if r[why] and str(r[why]).startswith("Withheld")]
        assert marked and set(marked) == {"[c]"}
        break
    with zipfile.ZipFile(site / "data" / "tidy-tables.zip") as archive:
        whole = pl.read_csv(archive.read("shares.csv"), infer_schema_length=None)
    assert "count" not in whole.columns
    for document in (site / "api" / "v1" / "pages").glob("*.json"):
        for row in json.loads(document.read_text("utf-8"))["shares"]:
            assert "count" not in row and ("percent" not in row or row["status"] != "withheld")
    assert whole.height == shares.height and whole["percent"].null_count() == shares["percent"].null_count()


def check_ua(pdf: bytes) -> str:
    report = checker.validate_pdf_bytes(pdf, profile=checker.ValidationProfile.PDF_UA_1)
    assert report.is_compliant, [f"{f.rule_id} {f.message}" for f in report.failures[:5]]
    assert str(pikepdf.open(io.BytesIO(pdf)).Root.Lang) == "en-GB"
    return "\n".join(p.get_textpage().get_text_range() for p in pypdfium2.PdfDocument(pdf))


def test_documents_are_sound(run: TrendRun) -> None:
    site = run.folder / "site"
    for code in (*INDICATORS, "Q14"):
        words = check_ua((site / "pdf" / f"{code}.pdf").read_bytes())
        assert "How to cite this page" in words
        errors = OpenXmlValidator().validate(str(site / "data" / f"{code}.xlsx")).errors
        assert errors == []
        picture = Image.open(site / "images" / f"{code}.png")
        page = page_of(run, code)
        assert page.chart is not None
        assert picture.info["Description"] == page.chart.alt and picture.size[0] > 1000
        # Something is drawn: more than one colour, and not the edge alone.
        assert len(picture.convert("RGB").getcolors(100_000) or []) > 10


def test_axe_finds_nothing(browser: Any, address: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    options = {"resultTypes": ["violations"]}
    for scheme, width, kinds in (
        ("light", 1280, ("index.html", "pages/overall-experience.html", "standards.html", "method.html", "data.html")),
        ("dark", 320, ("index.html", "pages/support.html")),
    ):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page = context.new_page()
        for kind in kinds:
            page.goto(address + kind)
            found = axe.run(page, options=options).response["violations"]
            assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == [], kind
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), kind
        context.close()


def test_the_chart_answers(browser: Any, address: str) -> None:
    """Lines can be left out, a year read aloud, and the scale begun at zero; without a script all is there."""
    page = browser.new_page()
    page.goto(f"{address}pages/support.html")
    page.select_option("#year", "2017")
    assert page.text_content("[data-read]") == (
        "2017: No help with physical health needs 36.0% (35.0 to 37.0); No help with finding or keeping work 45.0% "
        "(43.8 to 46.2); No help with financial advice or benefits 45.0% (43.9 to 46.1)."
    )
    page.uncheck("#line1", force=True)
    assert "finding or keeping work" not in page.text_content("[data-read]")
    assert page.locator("[data-scale=own] .wide g.dim").count() == 1
    page.click("[data-switch]")
    assert page.locator("[data-scale=zero]").is_visible() and page.locator("[data-scale=own]").is_hidden()
    assert page.get_attribute("[data-switch]", "aria-pressed") == "true"
    page.goto(f"{address}index.html")
    page.fill("#find", "crisis  OFFICE")
    shown = page.locator("[data-item]:visible")
    assert shown.count() == 1 and page.text_content("[data-count]") == f"Showing {shown.count()} of 61."
    page.close()
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(f"{address}pages/support.html")
    assert plain.locator(".chart-controls").is_hidden() and plain.locator("[data-scale=own] .wide svg").is_visible()
    plain.close()


def test_a_page_made_again_is_the_same(run: TrendRun) -> None:
    page = page_of(run, "support")
    assert pdf_bytes(page.report, run.theme) == (run.folder / "site" / "pdf" / "support.pdf").read_bytes()
    assert own_shares(run, "support")["series"].unique().sort().to_list() == [
        "help-money",
        "help-physical",
        "help-work",
    ]


def test_hostile_words_are_shown_as_text(browser: Any, tmp_path: Path) -> None:
    """Titles, labels, sentences and reasons that try to be anything but text."""
    words = LABEL.replace("{", "(").replace("}", ")")
    base = definition()
    indicator = base["indicators"][0]
    indicator |= {"title": words, "why": words, "sentences": [{"text": f"{words} {{last}}"}]}
    indicator["lines"][0]["label"] = words
    base["series"][0] |= {"title": words, "short": words, "notes": {2015: words}}
    base["series"][0]["lines"][0]["label"] = words
    standard = {
        "series": "help",
        "answer": "no",
        "statement": words,
        "source": words,
        "address": "https://x.org",
        "remark": words,
    }
    corrections = [{"date": "2026-11-02", "text": words}]
    write_trends(
        tmp_path, title=words, publisher=words, notice=words, contact=words, about=[words], indicators=[indicator],
        series=base["series"], standards=[standard], corrections=corrections, breaks=[{"year": 2018, "reason": words}],
        address="https://example.org/trends", next_update=words,
    )  # fmt: skip
    make_trend_results(tmp_path)
    make_trend_site(tmp_path)
    site = tmp_path / "site"
    for path in site.rglob("*.html"):
        assert "<img src=x" not in path.read_text("utf-8"), path
    with zipfile.ZipFile(site / "data" / "helped.xlsx") as archive:
        assert not any(b"<f>" in archive.read(n) for n in archive.namelist())
    check_ua((site / "pdf" / "helped.pdf").read_bytes())
    page = browser.new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda d: dialogs.append(d.message))
    ET.fromstring((site / "feed.xml").read_text("utf-8"))
    assert "<loc>https://example.org/trends/pages/helped.html</loc>" in (site / "sitemap.xml").read_text("utf-8")
    assert (site / "static" / "card.png").read_bytes().startswith(b"\x89PNG")
    index = (site / "index.html").read_text("utf-8")
    assert json.loads(re.search(r'ld\+json">(.*?)</script>', index, re.S).group(1))["creator"]["name"] == words  # type: ignore[union-attr]
    assert 'content="https://example.org/trends/images/helped.png"' in (site / "pages" / "helped.html").read_text(
        "utf-8"
    )
    assert 'href="https://example.org/trends/static/site.css"' in (site / "404.html").read_text("utf-8")
    page.goto((site / "pages" / "helped.html").as_uri())
    assert LABEL[:20] in page.text_content("h1") and not dialogs
    assert page.get_attribute("link[rel=canonical]", "href") == "https://example.org/trends/pages/helped.html"
    page.close()


def test_a_site_needs_results_of_what_is_there(tmp_path: Path) -> None:
    write_trends(tmp_path)
    make_trend_results(tmp_path)
    text = yaml.safe_dump(definition(title="Another title"))
    (tmp_path / "trends.yaml").write_text(text, "utf-8")
    with pytest.raises(Exception, match=r"made from other inputs than are there now \(trends.yaml\)"):
        make_trend_site(tmp_path)
