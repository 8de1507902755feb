"""The web edition in a real browser: what it shows, what it asks of others, and who can use it."""

from __future__ import annotations

import gzip
import itertools
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import pytest

from hostile import LABEL, NAMES
from stocktake.problems import StocktakeError
from stocktake.render.svg import contrast, ink_on
from stocktake.render.theme import Theme
from stocktake.run.core import Run, open_run
from stocktake.run.serve import server
from stocktake.run.site import make_site

KINDS = (
    "index.html",
    "trusts/Z01.html",
    "trusts/Z20.html",
    "service-groups/Z01.html",
    "service-groups/Z53.html",
    "measures/index.html",
    "measures/Q6.html",
    "measures/S01.html",
    "compare.html",
    "data.html",
    "method.html",
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
ATTRIBUTES = re.compile(r'<(a|link|script|img)\b[^>]*? (?:href|src)="([^"]*)"')
IDS = re.compile(r'<[a-z][^>]*? id="([^"]*)"')


def links_of(path: str) -> Links:
    text = Path(path).read_text("utf-8")
    return Links([unescape(link) for _, link in ATTRIBUTES.findall(text)], [unescape(i) for i in IDS.findall(text)])


def test_every_link_leads_somewhere(site: Path) -> None:
    files = {str(p) for p in site.rglob("*") if p.is_file()}
    pages = {p: links_of(p) for p in files if p.endswith(".html")}
    anchors = {p: set(found.ids) for p, found in pages.items()}
    assert len(pages) == 53 * 2 + 48 + 5
    assert all(found.links for found in pages.values()) and sum(len(f.ids) for f in pages.values()) > 5_000
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


def test_every_chart_has_its_table_and_words(site: Path) -> None:
    for kind in KINDS:
        text = (site / kind).read_text("utf-8")
        charts = re.findall(r"<figure.*?</figure>", text, flags=re.S)
        for chart in charts:
            assert re.search(r'role="img" aria-label="[^"]{20,}"', chart)
            assert "<table" in chart
        assert charts or kind in (
            "index.html",
            "measures/index.html",
            "compare.html",
            "data.html",
            "method.html",
            KINDS[4],
        )


def test_a_trust_page_is_light(site: Path) -> None:
    shared = sum(
        len(gzip.compress((site / "static" / n).read_bytes())) for n in ("nhsuk-frontend.css", "site.css", "site.js")
    )
    for code in ("Z01", "Z20", "Z27"):
        for folder in ("trusts", "service-groups"):
            assert len(gzip.compress((site / folder / f"{code}.html").read_bytes())) + shared < 150_000


def test_nothing_is_asked_of_another_server(site: Path) -> None:
    for path in site.rglob("*"):
        if path.suffix in (".html", ".css", ".js"):
            text = path.read_text("utf-8")
            assert not re.search(r'(?:src|srcset|data-src|action)="(?:https?:)?//', text), path.name
            assert not re.search(r'<link[^>]+href="(?:https?:)?//', text), path.name
            assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import|fetch\(|XMLHttpRequest", text), path.name
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
        (320, "dark", LOOKS, tuple(k for k in KINDS if k not in ("trusts/Z01.html", "service-groups/Z01.html"))),
        # Colours depend on the scheme and sizes on the width; the other two looks are tried where a page is light.
        (1280, "dark", LOOKS, ("index.html", "measures/Q6.html", "compare.html")),
        (320, "light", LOOKS, ("index.html", "measures/Q6.html", "compare.html")),
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
    for kind in ("index.html", "measures/Q6.html", "compare.html"):
        page.goto(address + kind)
        wanted = page.evaluate(
            "Array.from(document.querySelectorAll('a[href], button, input, select, summary, [tabindex=\"0\"]'))"
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
    assert page.locator("thead th").count() == 54
    assert page.locator("tbody tr").count() == 48
    page.goto(address + "measures/Q6.html")
    assert page.locator("figure svg").count() == 2
    page.locator("summary").first.click()
    assert page.locator("figure details table").first.is_visible()
    context.close()


def scores(page: Any) -> list[float]:
    cells = page.locator("[data-list] tbody tr:visible td:nth-child(3)").all_inner_texts()
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
        assert page.locator(".paper [data-code].dim").count() == 2 * page.locator("[data-list] tbody tr").count() - 4
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


def test_up_to_five_are_compared_by_keyboard(browser: Any, address: str, run: Run) -> None:
    page = browser.new_page()
    page.goto(address + "compare.html#?own=z01")
    assert page.locator("thead th").all_inner_texts() == ["Measure", f"{run.organisations['Z01']} (Z01)"]
    page.focus("#c3")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    assert page.input_value("#c3") == "Z04"
    assert page.url.endswith("own=Z01%2C%2CZ04")
    assert page.locator("thead th").count() == 3
    row = page.locator("tbody tr", has_text="Q39").inner_text()
    expected = run.scores.filter(
        (run.scores["organisation"] == "Z01")
        & (run.scores["measure"] == "Q39")
        & (run.scores["group"] == "all")
        & (run.scores["year"] == 2024)
    )["score"][0]
    assert f"{expected:.1f}" in row
    page.goto("about:blank")
    page.goto(address + "compare.html#?own=Z01,Z02,Z03,Z04,Z05,Z06,Z01,Q")
    assert page.locator("thead th").count() == 6
    output = page.locator("[data-count]").inner_text()
    assert (
        "Comparing 5." in output
        and "Not known: Q." in output
        and "Only the first five" in output
        and "twice: Z01" in output
    )
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
    from stocktake.render.deck.charts import _PATTERN_NAMES
    from stocktake.render.svg import MARKS as DRAWN
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
