"""The web edition in a real browser: what it shows, what it asks of others, and who can use it."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import re
import threading
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import jsonschema
import polars as pl
import pytest
from playwright.sync_api import expect

from hostile import LABEL, NAMES
from stocktake.problems import StocktakeError
from stocktake.render.theme import Theme, contrast, ink_on
from stocktake.run.core import Run, open_run
from stocktake.run.serve import server
from stocktake.run.site import make_site

KINDS = (
    "index.html",
    "trusts/Z01.html",
    "trusts/Z20.html",
    "sections/Z01.html",
    "change/Z01.html",
    "people/Z01.html",
    "service-groups/Z01.html",
    "measures/index.html",
    "measures/Q6.html",
    "measures/S01.html",
    "heatmap.html",
    "compare.html",
    "data.html",
    "method.html",
    "404.html",
    "embed/Q6.html",
)


@pytest.fixture(scope="module")
def run(demo: Path) -> Run:
    return open_run(demo)


@pytest.fixture(scope="module")
def site(demo: Path) -> Path:
    output: list[int] = []
    first = make_site(demo, output.append, output.append)
    assert sum(output[1:]) == output[0]
    return first.parent


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with server(site, 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://localhost:{running.server_port}/"
        running.shutdown()


@dataclass(frozen=True)
class Links:
    """The links and anchors of a page."""

    links: list[str]
    ids: list[str]


# Our own pages, whose attributes always stand in double quotes: a parser of any HTML takes thirty times as long.
ATTRIBUTES = re.compile(r'<(a|link|script|img|source)\b[^>]*? (?:href|src|srcset)="([^"]*)"')
IDS = re.compile(r'<[a-z][^>]*? id="([^"]*)"')


def links_of(path: str) -> Links:
    text = Path(path).read_text("utf-8")
    return Links([unescape(link) for _, link in ATTRIBUTES.findall(text)], [unescape(i) for i in IDS.findall(text)])


def test_every_link_leads_somewhere(site: Path) -> None:
    files = {str(p) for p in site.rglob("*") if p.is_file()}
    pages = {p: links_of(p) for p in files if p.endswith(".html")}
    anchors = {p: set(found.ids) for p, found in pages.items()}
    # Five pages a trust (four where no group can be shown), a page and a drawing to embed for each measure, and seven besides.
    trusts = [len(list((site / f).glob("*.html"))) for f in ("trusts", "sections", "change", "people")]
    assert trusts == [53] * 4
    assert len(pages) == 53 * 4 + len(list((site / "service-groups").glob("*.html"))) + 2 * 48 + 7
    assert all(found.links for found in pages.values()) and sum(len(f.ids) for f in pages.values()) > 4_000
    for page, found in pages.items():
        assert len(anchors[page]) == len(found.ids), page
        for link in set(found.links):
            if link.startswith(("http", "data:")):
                continue
            path, anchor = urldefrag(link)
            target = os.path.normpath(Path(page).parent / unquote(path)) if path else page
            assert target in files, (page, link)
            if anchor and not anchor.startswith("?"):
                assert unquote(anchor) in anchors[target], (page, link)


def test_every_chart_has_words_and_its_figures_on_the_page(site: Path) -> None:
    for kind in KINDS:
        text = (site / kind).read_text("utf-8")
        for chart in re.findall(r"<figure.*?</figure>", text, flags=re.S):
            assert re.search(r'(role="(?:img|group)" aria-label|alt)="[^"]{20,}"', chart), kind
            # Its figures stand in a table of its own, in that of the page, or beside it.
            assert "<table" in chart or "<table" in text or "facts" in text or kind.startswith("embed"), kind


def test_a_trust_page_is_a_summary(site: Path) -> None:
    """At most 60 kB each, fewer than 80 places to stop at, every question and section, and what fell by name."""
    for path in (site / "trusts").glob("*.html"):
        text = path.read_text("utf-8")
        assert len(text.encode()) <= 60_000, path.name
        assert len(re.findall(r"<(?:a|button|input|select|summary)\b|tabindex", text)) < 80, path.name
    text = (site / "trusts" / "Z20.html").read_text("utf-8")
    assert len(re.findall(r'<th scope="row"><a href="../measures/Q\w+.html">', text)) == 35
    assert len(re.findall(r'<tr class="sec">', text)) == 13


def test_sizes_of_the_whole(site: Path) -> None:
    whole = sum(p.stat().st_size for p in site.rglob("*") if p.is_file())
    assert whole < 25_000_000
    assert (site / "static" / "nhsuk-frontend.css").stat().st_size < 40_000
    shared = sum(
        len(gzip.compress((site / "static" / n).read_bytes()))
        for n in ("nhsuk-frontend.css", "site.css", "bands.css", "site.js")
    )
    for folder in ("trusts", "sections", "change", "people", "service-groups"):
        for path in sorted((site / folder).glob("*.html"))[::9]:
            assert len(gzip.compress(path.read_bytes())) + shared < 60_000


def test_every_class_of_the_frontend_has_its_rules() -> None:
    """The stylesheet was reduced to what pages use; a class that is used anew needs it to be reduced again."""
    import stocktake.render.web

    web = Path(stocktake.render.web.__file__).parent
    css = (web / "static" / "nhsuk-frontend.css").read_text("utf-8")
    used = {
        c
        for e in ("*.html", "*.py", "*.js")
        for p in web.rglob(e)
        for c in re.findall(r"nhsuk-[a-z_-]*[a-z]", p.read_text("utf-8"))
    }
    # Names of files, and a block of the frontend that has no rules of its own.
    plain = {
        "nhsuk-frontend",
        "nhsuk-heading",
        "nhsuk-u-margin-bottom",
        "nhsuk-header__service",
        "nhsuk-table__caption",
    }
    missing = {c for c in used - plain if f".{c}" not in css}
    assert not missing


def test_documents_for_programs_have_their_stated_shape(site: Path, run: Run) -> None:
    api = site / "api" / "v1"
    shapes = {n: json.loads((api / f"{n}.schema.json").read_text()) for n in ("index", "organisation", "measure")}
    index = json.loads((api / "index.json").read_text())
    jsonschema.validate(index, shapes["index"])
    assert [o["code"] for o in index["organisations"]] == list(run.organisations) and len(index["measures"]) == 48
    by_measure = {}
    for measure in index["measures"]:
        told = json.loads((api / "measures" / f"{measure['code']}.json").read_text())
        jsonschema.validate(told, shapes["measure"])
        by_measure |= {(s["code"], measure["code"]): s for s in told["scores"]}
    public = run.public.scores.filter((pl.col("group") == "all") & (pl.col("year") == 2024))
    for code in ("Z01", "Z20", "Z27"):
        path = api / "trusts" / f"{code}.json"
        told = json.loads(path.read_text())
        jsonschema.validate(told, shapes["organisation"])
        assert path.stat().st_size < 20_000
        rows = {r["measure"]: r for r in public.filter(pl.col("organisation") == code).iter_rows(named=True)}
        for one in told["scores"]:
            assert (one.get("score"), one.get("band"), one.get("n")) == tuple(
                rows[one["code"]][c] for c in ("score", "band", "n")
            )
            # Both kinds of document say the same, its change with it.
            assert {**by_measure[code, one["code"]], "code": ""} == {**one, "code": ""}
    with zipfile.ZipFile(site / "data" / "tidy-tables.zip") as archive:
        names = archive.namelist()
        assert "scores.csv" in names and "csv-metadata.json" in names
        assert archive.read("scores.csv").decode("utf-8-sig").count("\n") == run.public.scores.height + 1
    assert pl.read_parquet(site / "data" / "scores.parquet").equals(run.public.scores)


def test_nothing_is_asked_of_another_server(site: Path) -> None:
    for path in site.rglob("*"):
        if path.suffix in (".html", ".css", ".js"):
            text = path.read_text("utf-8")
            assert not re.search(r'(?:src|srcset|data-src|action)="(?:https?:)?//', text), path.name
            assert not re.search(r'<link[^>]+href="(?:https?:)?//', text), path.name
            assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import|XMLHttpRequest", text), path.name
            # What is fetched is a document of the site itself.
            assert re.findall(r'fetch\(("[^"]*")?', text) in ([], ['"api/v1/trusts/"']), path.name
            assert " style=" not in text and "onclick" not in text


@pytest.fixture(scope="module")
def axe() -> Any:
    from axe_playwright_python.sync_playwright import Axe

    return Axe()


# Of a long table the first rows are looked at; the others are of the same kind.
ALIKE = {"exclude": [["tbody tr:nth-child(n+10)"]]}
# The rules whose outcome depends on colours or on the width of the window.
LOOKS = {
    "runOnly": {
        "type": "rule",
        "values": ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"],
    }
}


@pytest.mark.parametrize(
    ("width", "scheme", "options", "kinds"),
    [
        # A second page of one kind, and one of the same parts, look like the first: each has its turn in one of the two.
        (1280, "light", None, tuple(k for k in KINDS if k != "trusts/Z20.html")),
        (320, "dark", LOOKS, tuple(k for k in KINDS if k != "trusts/Z01.html")),
        # Colours depend on the scheme and sizes on the width; the other two looks are tried where a page is light.
        (1280, "dark", LOOKS, ("trusts/Z20.html", "measures/Q6.html", "heatmap.html", "compare.html")),
        (320, "light", LOOKS, ("index.html", "trusts/Z20.html", "measures/Q6.html", "compare.html")),
    ],
)
def test_axe_finds_nothing_on_any_page_kind(
    browser: Any,
    axe: Any,
    address: str,
    scheme: str,
    width: int,
    options: dict[str, Any] | None,
    kinds: tuple[str, ...],
) -> None:
    """320 pixels are 1280 at a zoom of 400%. Every rule in one look, and those that depend on looks in the others."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    for kind in kinds:
        page.goto(address + kind)
        # Elements that pass need no selectors of theirs, which take most of the time.
        asked_of = {"resultTypes": ["violations"], **(options or {})}
        found = axe.run(page, context=ALIKE, options=asked_of).response["violations"]
        assert not found, [(kind, v["id"], v["nodes"][0]["html"][:200]) for v in found]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, kind
    assert not wrong
    assert all(url.startswith((address, "data:")) for url in asked)
    context.close()


def test_the_keyboard_alone_reaches_everything(browser: Any, address: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    for kind in ("trusts/Z20.html", "measures/Q6.html", "compare.html"):
        page.goto(address + kind)
        wanted = page.evaluate(
            'Array.from(document.querySelectorAll(\'a[href]:not([tabindex="-1"]), button, input, select, summary, [tabindex="0"]\'))'
            ".filter(e => e.checkVisibility({contentVisibilityAuto: true}) && (e.tagName === 'SUMMARY' || !e.closest('details:not([open])'))).length"
        )
        seen = set()
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
            mark = page.evaluate(
                "(() => { const e = document.activeElement; if (e === document.body) return '';"
                " const s = getComputedStyle(e); e.dataset.seen = e.dataset.seen || Math.random();"
                " return e.dataset.seen + ' ' + (s.outlineStyle !== 'none' || s.boxShadow !== 'none'); })()"
            )
            if mark:
                assert mark.endswith("true"), kind
                seen.add(mark)
        assert len(seen) >= wanted, kind
    page.close()


def test_without_a_script_everything_is_there(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + "index.html")
    assert page.locator("tbody tr").count() == 53
    assert not page.locator("[data-filter]").is_visible()
    page.goto(address + "compare.html")
    assert page.locator("noscript a, ul.packs a").count() == 53
    assert page.locator("tbody tr").count() == 48
    page.goto(address + "measures/Q6.html")
    assert page.locator("figure svg").count() >= 4 and page.locator(".dots .wide a").count() == 53
    page.locator("summary", has_text="The chart as a table").first.click()
    assert page.locator("figure details table").first.is_visible()
    page.goto(address + "heatmap.html")
    assert page.locator(".heat tbody tr").count() == 53
    context.close()


def scores(page: Any) -> list[float]:
    cells = page.locator("[data-list] tbody tr:visible td:nth-child(2)").all_text_contents()
    return [float(c) for c in cells if c != "-"]


def test_lists_sort_and_filter_and_the_address_holds_the_state(browser: Any, address: str, site: Path) -> None:
    for start in (address, f"file://{site}/"):
        page = browser.new_page()
        page.goto(start + "measures/Q6.html")
        page.locator("[data-list] thead button", has_text="Score").click()
        assert scores(page) == sorted(scores(page)) and len(scores(page)) > 40
        page.locator("[data-list] thead button", has_text="Score").click()
        assert scores(page) == sorted(scores(page), reverse=True)
        assert page.locator("[data-list] thead th[aria-sort=descending]").count() == 1
        page.fill("#own", "z03, Z05, nope")
        assert page.locator("[data-list] tbody tr:visible").count() == 2
        assert "Not known: NOPE" in page.locator("[data-count]").inner_text()
        # In both drawings of the marks and in the funnel all others are faded.
        rows = page.locator("[data-list] tbody tr").count()
        assert page.locator(".dots .wide [data-code].dim").count() == rows - 2
        assert page.locator(".dots .narrow [data-code].dim").count() == rows - 2
        state = page.url
        assert "sort=score" in state and "order=down" in state and "own=" in state
        other = browser.new_page()
        other.goto(state)
        assert other.locator("[data-list] tbody tr:visible").count() == 2
        assert scores(other) == sorted(scores(other), reverse=True)
        # The skip link is no state: what is chosen stays.
        other.keyboard.press("Tab")
        other.keyboard.press("Enter")
        assert other.locator("[data-list] tbody tr:visible").count() == 2
        other.fill("#own", "")
        other.fill("#find", "<script>\"'.*[")
        assert other.locator("[data-list] tbody tr:visible").count() == 0
        other.fill("#find", "")
        assert other.locator("[data-list] tbody tr:visible").count() == page.locator("[data-list] tbody tr").count()
        page.goto("about:blank")
        page.goto(start + "index.html#?kind=Nonsense&region=%3Cb%3E")
        assert page.locator("[data-list] tbody tr:visible").count() == 53
        for one in (page, other):
            one.close()


def score_of(run: Run, code: str, measure: str) -> dict[str, Any]:
    here = (pl.col("organisation") == code) & (pl.col("measure") == measure)
    return next(
        run.public.scores.filter(here & (pl.col("group") == "all") & (pl.col("year") == 2024)).iter_rows(named=True)
    )


def test_up_to_five_are_compared(browser: Any, address: str, site: Path, run: Run) -> None:
    for start in (address, f"file://{site}/"):
        page = browser.new_page()
        page.goto(start + "compare.html#?own=z01")
        page.wait_for_selector("thead th:nth-child(3)")
        assert page.locator("thead th").all_inner_texts() == ["Measure", "Average", f"{run.organisations['Z01']} (Z01)"]
        page.fill("#c3", run.organisations["Z04"].lower())
        page.keyboard.press("Tab")
        page.wait_for_selector("thead th:nth-child(4)")
        assert page.url.endswith("own=Z01%2C%2CZ04")
        for code, column in (("Z01", 2), ("Z04", 3)):
            cell = page.locator("tbody tr[data-code=Q39] > *").nth(column)
            expected = score_of(run, code, "Q39")
            assert cell.inner_text().startswith(f"{expected['score']:.1f}")
            assert run.survey.bands[expected["band"] - 1].lower() in (cell.text_content() or "").lower()
        page.goto("about:blank")
        page.goto(start + "compare.html#?own=Z01,Z02,Z03,Z04,Z05,Z06,Z01,Q")
        page.wait_for_selector("thead th:nth-child(7)")
        output = page.locator("[data-count]").inner_text()
        assert "Comparing 5." in output and "Not known: Q." in output
        assert "Only the first five" in output and "twice: Z01" in output
        page.close()


def test_an_organisation_with_a_figure_that_is_not_shown_is_compared(
    browser: Any, address: str, site: Path, run: Run
) -> None:
    """Its other scores stand, and a dash in place of that figure, from a server and from a folder alike."""
    here = (pl.col("group") == "all") & (pl.col("year") == 2024)
    code, measure = next(
        run.public.scores.filter(here & pl.col("score").is_null()).select("organisation", "measure").iter_rows()
    )
    other = next(
        r
        for r in run.public.scores.filter(here & (pl.col("organisation") == code)).iter_rows(named=True)
        if r["score"] is not None
    )
    for start in (address, f"file://{site}/"):
        page = browser.new_page()
        page.goto(f"{start}compare.html#?own={code}")
        page.wait_for_selector("thead th:nth-child(3)")
        expect(page.locator("[data-count]")).to_have_text("Comparing 1.")
        assert page.locator(f"tbody tr[data-code={measure}] > *").nth(2).inner_text() == "-"
        shown = page.locator(f"tbody tr[data-code={other['measure']}] > *").nth(2).inner_text()
        assert shown.startswith(f"{other['score']:.1f}")
        page.close()


def test_on_a_phone_every_figure_of_a_list_is_seen_with_its_heading(browser: Any, address: str) -> None:
    """Rows are blocks no wider than the screen; the headings above them sort; a chart is drawn for the screen."""
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(f"{address}measures/Q6.html")
    row = page.locator("[data-list] tbody tr").first
    row.scroll_into_view_if_needed()
    cells = row.locator("td").evaluate_all(
        "cells => cells.map(c => [getComputedStyle(c, '::before').content, c.getBoundingClientRect().right])"
    )
    heads = page.locator("[data-list] thead th").all_text_contents()[1:]
    assert [c for c, _ in cells] == [f'"{h.strip()} "' for h in heads]
    assert max(right for _, right in cells) <= 360
    page.get_by_role("button", name="Score").click()
    scores = [float(t) for t in page.locator("[data-list] tbody td:nth-child(2)").all_text_contents() if t != "-"]
    assert scores == sorted(scores) and len(scores) > 40
    shown = page.locator(".chart svg:visible").evaluate_all("all => all.map(s => s.getBoundingClientRect().right)")
    assert shown and max(shown) <= 360
    page.goto(f"{address}compare.html#?own=Z01,Z02,Z03")
    expect(page.locator("thead th")).to_have_count(5)
    cells = page.locator("[data-table] tbody tr").nth(1).locator("td")
    cells.first.scroll_into_view_if_needed()
    assert max(c["x"] + c["width"] for c in (cells.nth(i).bounding_box() for i in range(4))) <= 360
    page.goto(f"{address}heatmap.html")
    counts = page.locator(".heat tbody tr").first.locator("td.n")
    counts.first.scroll_into_view_if_needed()
    assert max(c["x"] + c["width"] for c in (counts.nth(i).bounding_box() for i in range(3))) <= 360
    page.close()


@pytest.mark.parametrize("kind", ["heatmap.html", "measures/Q6.html"])
def test_rows_that_are_grids_keep_to_their_columns(browser: Any, address: str, kind: str) -> None:
    """Every cell stands below its heading, and what the parts of the table are is said."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}{kind}")
    table = page.locator("[data-list].quick")
    assert table.get_attribute("role") == "table" and table.locator("[role=row]").count() == 54
    heads = table.locator("thead th").evaluate_all("all => all.map(h => h.getBoundingClientRect().left)")
    for row in (0, 20):
        line = table.locator("tbody tr").nth(row)
        line.scroll_into_view_if_needed()
        lefts = line.locator("> *").evaluate_all("all => all.map(c => c.getBoundingClientRect().left)")
        heads = table.locator("thead th").evaluate_all("all => all.map(h => h.getBoundingClientRect().left)")
        assert len(lefts) == len(heads) and all(abs(a - b) < 1.5 for a, b in zip(lefts, heads, strict=True))
    page.close()


def test_a_director_sees_what_fell_and_by_how_much(browser: Any, address: str, run: Run) -> None:
    """On a phone: the summary names it, and one tap has every difference with its interval; nothing needs moving sideways."""
    fallen = run.public.changes.filter(
        (pl.col("group") == "all") & (pl.col("verdict") == "Decrease") & (pl.col("kind") == "question")
    )
    row = next(fallen.iter_rows(named=True))
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(f"{address}trusts/{row['organisation']}.html")
    fifth = page.locator("ol li").nth(4).inner_text()
    assert row["measure"] in fifth and "gone down" in fifth
    # By how much stands on the same page, and one tap has the interval.
    assert f": {row['difference']:+.1f}, from" in page.locator(".outside li", has_text="▼").first.inner_text()
    page.click("text=Change over time")
    line = page.locator(".change tr", has=page.locator(f"a[href*='{row['measure']}.html']"))
    words = line.text_content() or ""
    assert (
        "gone down" in words
        and f"{row['difference']:+.1f}" in words
        and f"{row['lower']:+.2f} to {row['upper']:+.2f}" in words
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert line.evaluate("e => e.getBoundingClientRect().right <= innerWidth")
    page.close()


def test_a_journalist_finds_who_is_worst_beyond_chance_and_saves_the_chart(
    browser: Any, address: str, run: Run, tmp_path: Path
) -> None:
    page = browser.new_page()
    page.goto(address + "index.html")
    page.fill("#search", "crsis care")
    page.wait_for_selector(".found a")
    found = page.locator(".found a").all_inner_texts()
    assert any("risis" in words for words in found)
    page.locator(".found a", has_text="Question: S07").or_(
        page.locator(".found a", has_text="Crisis care support")
    ).first.click()
    page.locator("[data-list] thead button", has_text="Band").click()
    first = page.locator("[data-list] tbody tr").first
    scores_of_section = run.public.scores.filter(
        (pl.col("measure") == "S07") & (pl.col("group") == "all") & (pl.col("year") == 2024)
    )
    assert (
        first.get_attribute("data-code")
        in scores_of_section.filter(pl.col("band") == scores_of_section["band"].min())["organisation"].to_list()
    )
    page.goto(f"{address}measures/S07.html#?mark={first.get_attribute('data-code')}")
    assert "worse than expected" in page.locator("[data-marked]").inner_text().lower()
    with page.expect_download() as saved:
        page.click("[data-png]")
    picture = tmp_path / "S07.png"
    saved.value.save_as(picture)
    assert (
        saved.value.suggested_filename == "S07.png"
        and picture.read_bytes()[:4] == b"\x89PNG"
        and picture.stat().st_size > 5000
    )
    with page.expect_download() as saved:
        page.click("text=Save as SVG")
    assert saved.value.suggested_filename == "S07.svg"
    drawing = tmp_path / "S07.svg"
    saved.value.save_as(drawing)
    told = " ".join(ET.parse(drawing).getroot().itertext())
    # What is saved says what it is, of whom, and that it is invented.
    assert "Crisis care support" in told and "Invented data" in told and run.public.digest in told
    page.close()


def test_the_search_forgives(browser: Any, address: str, run: Run) -> None:
    page = browser.new_page()
    page.goto(address + "index.html")
    name = run.organisations["Z20"]
    for words in (name.upper(), name[:6], name.replace("a", "", 1), f"{name[1]}{name[0]}{name[2:9]}", "z20"):
        page.fill("#search", words)
        page.wait_for_selector(".found a")
        assert any("Z20" in t for t in page.locator(".found a").all_inner_texts()), words
    page.fill("#search", "someone’s")
    expect(page.locator("[data-found]")).not_to_have_text("")
    page.fill("#search", "qqqq")
    expect(page.locator("[data-found]")).to_have_text(re.compile("Nothing"))
    assert page.locator(".found a").count() == 0
    page.close()


def test_a_regulator_finds_outliers_and_compares_five(browser: Any, address: str, run: Run) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address + "heatmap.html")
    page.select_option("#band", "chance")
    rows = page.locator(".heat tbody tr:visible")
    for i in range(rows.count()):
        above, below, chance = rows.nth(i).locator("td.n").all_text_contents()
        assert int(above) + int(below) > int(chance.rpartition(" ")[2])
    page.locator(".heat thead button", has_text="Below").click()
    page.locator(".heat thead button", has_text="Below").click()
    below = [int(t) for t in page.locator(".heat tbody tr:visible td:nth-child(3)").all_text_contents()]
    assert below == sorted(below, reverse=True) and "band=chance" in page.url and "order=down" in page.url
    cells = page.locator(".heat tbody tr:visible").first.locator("td").all_text_contents()[3:]
    told = [c for c in cells if c not in ("", "-")]
    assert sum("worse" in c for c in told) == below[0]
    for i in range(5):
        rows.nth(i).locator("input").check()
    chosen = [rows.nth(i).get_attribute("data-code") for i in range(5)]
    page.click("text=Compare the ticked")
    page.wait_for_selector("thead th:nth-child(7)")
    assert [t.rpartition("(")[2][:-1] for t in page.locator("thead th").all_inner_texts()[2:]] == chosen
    page.close()


def test_an_analyst_embeds_a_chart_and_reads_its_data(browser: Any, address: str, site: Path, run: Run) -> None:
    page = browser.new_page()
    page.goto(address + "measures/Q39.html")
    told = page.evaluate("fetch(document.querySelector('.tools a[href$=\".json\"]').href).then(a => a.json())")
    shown = {s["code"]: s.get("score") for s in told["scores"]}
    assert shown["Z01"] == score_of(run, "Z01", "Q39")["score"]
    page.click("text=Cite or embed this chart")
    assert "Community Mental Health Survey 2024" in page.locator("[data-cite]").inner_text()
    assert "/embed/Q39.html" in page.locator("pre").inner_text()
    page.click("text=the chart alone")
    image = page.locator("img")
    assert image.evaluate("e => e.complete && e.naturalWidth > 300") and len(image.get_attribute("alt")) > 40
    assert page.locator("a[target=_top]").get_attribute("href") == "../measures/Q39.html"
    page.close()


def test_marks_have_names_by_keyboard_and_touch_and_the_scale_can_be_whole(
    browser: Any, address: str, run: Run
) -> None:
    context = browser.new_context(has_touch=True, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(address + "measures/Q6.html")
    assert page.locator(".dots .wide a[tabindex='0']").count() == 1
    page.locator(".dots .wide a").first.focus()
    named = page.locator("[data-named]")
    first = named.inner_text()
    page.keyboard.press("ArrowRight")
    assert named.inner_text() not in ("", first)
    page.keyboard.press("End")
    highest = run.public.scores.filter(
        (pl.col("measure") == "Q6") & (pl.col("group") == "all") & (pl.col("year") == 2024)
    )["score"].max()
    assert f": {highest:.1f}" in named.inner_text()
    # The first touch names the nearest mark and stays on the page.
    box = page.locator(".dots .wide a").nth(20).bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2 + 2, box["y"] - 20)
    assert named.inner_text() not in ("", first) and page.url.startswith(address + "measures/Q6.html")

    def drawn() -> list[float]:
        return page.evaluate(
            "Array.from(document.querySelectorAll('.dots .wide a')).map(a => { const e = a.lastElementChild;"
            " const b = e.getBoundingClientRect(); return b.top + b.height / 2 + scrollY; })"
        )

    fitted = drawn()
    page.click("[data-switch]")
    assert "scale=whole" in page.url
    labels = [float(t) for t in page.locator(".dots .wide .ticks text").all_text_contents()]
    assert labels == [0, 2, 4, 6, 8, 10]
    ends = page.evaluate(
        "(() => { const l = document.querySelectorAll('.dots .wide .ticks line'); return [l[0], l[5]].map(e => e.getBoundingClientRect().top + scrollY); })()"
    )
    whole = drawn()
    for code, at in zip(
        page.locator(".dots .wide a").evaluate_all("e => e.map(x => x.dataset.code)"), whole, strict=True
    ):
        score = score_of(run, code, "Q6")["score"]
        assert abs(at - (ends[0] + (ends[1] - ends[0]) * score / 10)) < 2.5, code
    page.click("[data-switch]")
    assert drawn() == pytest.approx(fitted, abs=0.01)
    context.close()


@pytest.mark.parametrize("width", [1280, 360])
def test_bands_are_never_cut_off(browser: Any, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    for kind in ("trusts/Z20.html", "sections/Z20.html", "change/Z20.html", "service-groups/Z20.html"):
        page.goto(address + kind)
        cut = page.evaluate(
            "Array.from(document.querySelectorAll('main .rows td, main .rows th, main .b, main .st, main .bs, main p'))"
            ".filter(e => { const b = e.getBoundingClientRect(); return b.width && (b.right > innerWidth + 1 || b.left < -1) && !e.closest('thead'); }).length"
        )
        assert cut == 0, kind
    page.close()


def test_charts_stand_out_in_forced_colours(browser: Any, address: str) -> None:
    """Drawings keep their own white ground and colours where a reader's colours replace all others."""
    context = browser.new_context(forced_colors="active", color_scheme="dark")
    page = context.new_page()
    for kind, place in (("measures/Q6.html", ".paper"), ("trusts/Z20.html", ".st"), ("heatmap.html", ".heat .b6")):
        page.goto(address + kind)
        told = page.locator(place).first.evaluate(
            "e => [getComputedStyle(e).forcedColorAdjust, getComputedStyle(e).backgroundColor]"
        )
        assert told[0] == "none" and told[1] != "rgba(0, 0, 0, 0)", kind
    context.close()


def test_printed_pages_are_whole(browser: Any, address: str, tmp_path: Path) -> None:
    """On A4 nothing is lost at the right, no address of a link is printed, and rows are not cut."""
    import pypdfium2

    page = browser.new_page()
    for kind in ("trusts/Z20.html", "change/Z20.html", "measures/Q6.html", "heatmap.html"):
        page.goto(address + kind)
        page.emulate_media(media="print")
        path = tmp_path / "page.pdf"
        page.pdf(path=str(path), format="A4", print_background=True)
        document = pypdfium2.PdfDocument(path)
        for sheet in document:
            text = sheet.get_textpage()
            assert "../" not in text.get_text_range() and "http://localhost" not in text.get_text_range()
            for i in range(text.count_rects()):
                left, _, right, _ = text.get_rect(i)
                assert left >= 0 and right <= sheet.get_width() + 1, (kind, text.get_text_bounded(left, 0, right, 900))
        words = " ".join(sheet.get_textpage().get_text_range() for sheet in document)
        assert "Save as" not in words and "Compare the ticked" not in words
        document.close()
        page.emulate_media(media="screen")
    page.close()


def test_no_stop_on_a_region_that_does_not_scroll(browser: Any, address: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    for kind in ("trusts/Z20.html", "measures/Q6.html", "sections/Z20.html", "data.html"):
        page.goto(address + kind)
        idle = page.evaluate(
            "Array.from(document.querySelectorAll('[tabindex=\"0\"]')).filter(e => e.matches('.scroll, .paper') && e.scrollWidth <= e.clientWidth).length"
        )
        assert idle == 0, kind
    page.close()


def test_hostile_names_run_nothing_and_are_shown_as_text(browser: Any, hostile: Path) -> None:
    page = browser.new_page()
    ran: list[str] = []
    page.on("dialog", lambda d: (ran.append(d.message), d.dismiss()))
    page.on("pageerror", lambda e: ran.append(str(e)))
    root = f"file://{hostile}/site/"
    for code, name in NAMES.items():
        page.goto(f"{root}trusts/{code}.html")
        assert page.locator("h1").text_content() == name
        assert LABEL in page.locator("main").text_content()
        assert page.locator("main script, main img").count() == 0
    for kind in ("index.html", "compare.html", "measures/Q1.html", "measures/S01.html", "method.html", "data.html"):
        page.goto(root + kind)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), kind
    page.goto(root + "index.html")
    assert page.locator("[data-list] tbody tr bdi").all_text_contents() == list(NAMES.values())
    assert not ran
    page.close()


def test_serving_needs_a_site_and_a_free_port(site: Path, tmp_path: Path) -> None:
    with pytest.raises(StocktakeError, match="no site here yet; run `stocktake site"):
        server(tmp_path / "site")
    with server(site, 0) as running, pytest.raises(StocktakeError, match="is in use; choose another"):
        server(site, running.server_port)


# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
BLINDNESS = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def seen_as(colour: str, matrix: Any) -> str:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    mixed = [min(1.0, max(0.0, sum(m * c for m, c in zip(row, linear, strict=True)))) for row in matrix]
    back = [12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in mixed]
    return "#" + "".join(f"{round(255 * c):02X}" for c in back)


@pytest.mark.parametrize("kind", [None, *BLINDNESS])
def test_bands_can_be_told_apart_without_colour(kind: str | None) -> None:
    """Under each simulated colour blindness the triangles on a band stand out from it, and no two bands share their marks.

    Neighbouring bands on either side also differ in lightness, so that a printed strip in grey still has its steps.
    """
    from stocktake.render.deck.survey_charts import _PATTERN_NAMES
    from stocktake.render.theme import MARKS as DRAWN
    from stocktake.reports.charts import TRIANGLES

    theme = Theme()
    seen = list(theme.band_colours) if kind is None else [seen_as(c, BLINDNESS[kind]) for c in theme.band_colours]
    for colour, shown in zip(theme.band_colours, seen, strict=True):
        assert contrast(ink_on(colour), shown) >= 4.5
    for better, worse in ((seen[4:], "up"), (seen[:3][::-1], "down")):
        steps = [contrast(a, b) for a, b in itertools.pairwise(better)]
        assert all(s > 1.25 for s in steps), (kind, worse, steps)
    for words in (theme.ink, theme.soft, theme.accent, theme.average):
        assert contrast(words if kind is None else seen_as(words, BLINDNESS[kind]), "#FFFFFF") >= 4.5
    assert len(set(TRIANGLES.values())) == len(set(DRAWN.values())) == 7
    assert len(set(_PATTERN_NAMES.values())) == 6
