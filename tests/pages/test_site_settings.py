"""What a site says of itself, lists in parts, several years, and what it leaves out of thousands of organisations."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html import unescape
from pathlib import Path

import pytest
from PIL import Image

import stocktake.render.web.pages as pages
import stocktake.run.site.national as national
import stocktake.run.site.organisations as organisations
from reports.test_many_years import write_years
from stocktake.problems import StocktakeError
from stocktake.reports.heat_map import HeatMap, HeatRow
from stocktake.run.core import open_run
from stocktake.run.quality import benchmark_folder
from stocktake.run.settings import settings_of
from stocktake.run.site import make_site
from stocktake.run.site.opened import open_site

# An instrument may have words of its own for the bands.
BANDS = ["Far below", "Below", "Slightly below", "In line, '<as>' usual", "Slightly above", "Above", "Far above"]
ADDRESS = "https://example.org/results"
SITE = f"""
site:
  address: {ADDRESS}/
  publisher: A survey centre & friends
  licence: Open Government Licence v3.0
  licence_address: https://example.org/licence
  feedback: mailto:survey@example.org
  places: places.csv
  updates:
    - {{date: 2026-11-02, text: "Two names <corrected>."}}
    - {{date: 2026-10-01, text: First published.}}
"""
SITEMAP, ATOM = "{http://www.sitemaps.org/schemas/sitemap/0.9}", "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = write_years(tmp_path_factory.mktemp("told"))
    (made / "places.csv").write_text("place,organisation\nAshby,T2\nUpper Brook,T0\n", "utf-8")
    (made / "2024-list.csv").write_text(
        "code,name,kind,region\nT0,Trust T0,acute,North\nT1,Trust T1,acute,South\nT2,Trust T2,other,South\nT3,Trust T3,other,Midlands\n"
    )
    with (made / "instrument.yaml").open("a", encoding="utf-8") as instrument:
        instrument.write(f"bands: {json.dumps(BANDS)}\n")
    with (made / "survey.yaml").open("a", encoding="utf-8") as settings:
        settings.write(SITE)
    benchmark_folder(made)
    make_site(made)
    return made


def test_pages_say_where_they_stand(folder: Path) -> None:
    site = folder / "site"
    for path in site.rglob("*.html"):
        name = path.relative_to(site).as_posix()
        text = path.read_text("utf-8")
        if name.startswith("embed/"):
            assert f'<link rel="canonical" href="{ADDRESS}/measures/{path.name}">' in text
            continue
        assert f'<link rel="canonical" href="{ADDRESS}/{name}">' in text
        assert f'<meta property="og:image" content="{ADDRESS}/static/card.png">' in text
        assert re.search(r'<meta name="description" content="[^"]{15,}">', text), name
        assert '<a href="mailto:survey@example.org">Tell us what is wrong or missing</a>' in text
        assert '<a href="https://example.org/licence" rel="license">Open Government Licence v3.0</a>' in text
    titles = [re.search(r"<title>(.*?)</title>", p.read_text("utf-8"))[1] for p in site.rglob("*.html")]  # type: ignore[index]
    assert len(set(titles)) > 0.8 * len(titles)
    told = json.loads(re.search(r'ld\+json">(.*?)</script>', (site / "index.html").read_text("utf-8"))[1])  # type: ignore[index]
    assert told["@type"] == "Dataset" and told["license"] == "https://example.org/licence"
    assert told["creator"]["name"] == "A survey centre & friends"
    for file in told["distribution"]:
        assert (site / file["contentUrl"].removeprefix(f"{ADDRESS}/")).is_file()
    with Image.open(site / "static" / "card.png") as card:
        assert card.size == (1200, 630)


def test_bands_have_the_words_of_the_instrument(folder: Path) -> None:
    site = folder / "site"
    told = re.search(r"data-bands='([^']*)'", (site / "compare.html").read_text())
    assert told is not None and json.loads(unescape(told[1])) == BANDS
    row = HeatRow("T0", "Trust T0", "", "", tuple(range(1, 8)), 3, 3, 0.7, 2)
    heat = open_site(folder).site.heat(HeatMap(tuple((f"Q{i}", "") for i in range(7)), (row,)), (1, 1))
    assert re.findall(r"<i>(.*?)</i>", heat) == [b.lower() for i, b in enumerate(BANDS) if i != 3]


def test_map_feed_and_missing_page(folder: Path) -> None:
    site = folder / "site"
    listed = {e.text for e in ET.parse(site / "sitemap.xml").iter(f"{SITEMAP}loc")}
    wanted = {p.relative_to(site).as_posix() for p in site.rglob("*.html") if p.parent.name != "embed"} - {"404.html"}
    assert listed == {f"{ADDRESS}/{p}" for p in wanted}
    feed = ET.parse(site / "feed.xml").getroot()
    assert [e.findtext(f"{ATOM}title") for e in feed.iter(f"{ATOM}entry")] == [
        "Two names <corrected>.",
        "First published.",
    ]
    assert feed.findtext(f"{ATOM}updated") == "2026-11-02T00:00:00Z"
    assert len({e.findtext(f"{ATOM}id") for e in feed.iter(f"{ATOM}entry")}) == 2
    assert f"Sitemap: {ADDRESS}/sitemap.xml" in (site / "robots.txt").read_text()
    assert f'href="{ADDRESS}/index.html"' in (site / "404.html").read_text()


def test_places_are_found_and_regions_compared(folder: Path) -> None:
    site = folder / "site"
    found = json.loads((site / "static" / "search.js").read_text().partition(" = ")[2].rstrip(";\n"))
    assert ["place", "Ashby: Trust T2", "trusts/T2.html"] in found
    text = (site / "measures" / "Q1.html").read_text()
    assert text.count('<a href="#?region=') == 3 and "averages by region" in text
    assert "<option>acute</option>" in text


def test_several_years_are_rows_with_a_course(folder: Path) -> None:
    text = (folder / "site" / "change" / "T2.html").read_text()
    assert re.findall(r'<th scope="col">(\d{4})</th>', text[text.index("Year by year") :]) == [
        "2021",
        "2022",
        "2023",
        "2024",
    ]
    run = open_run(folder)
    own = {
        r["year"]: r["score"]
        for r in run.public.scores.iter_rows(named=True)
        if (r["organisation"], r["measure"]) == ("T2", "Q1")
    }
    row = re.search(r'<tr><th scope="row">Q1.*?</tr>', text[text.index("Year by year") :])
    assert row is not None
    assert re.findall(r"<td>([\d.]+)</td>", row[0]) == [f"{own[y]:.1f}" for y in sorted(own)]
    # One of two predecessors has no course of its own before it was formed.
    formed = (folder / "site" / "change" / "T0.html").read_text()
    assert "<td>-</td>" in formed[formed.index("Year by year") :]
    assert "of the trusts that this one was formed of" in formed


def test_lists_in_parts_and_what_many_leave_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(national, "MANY", 1)
    monkeypatch.setattr(organisations, "FIRM_UP_TO", 1)
    monkeypatch.setattr(pages, "MOST_LINES", 2)
    # In this process, whose limits are the small ones.
    monkeypatch.setattr("stocktake.run.pool.cores", lambda: 1)
    site = make_site(folder).parent
    assert sorted(p.name for p in (site / "parts").iterdir()) == [
        "Q1.2.html", "Q2.2.html", "S01.2.html", "heatmap.2.html", "index.2.html",
    ]  # fmt: skip
    for first, second in (
        ("index.html", "index.2.html"),
        ("measures/Q1.html", "Q1.2.html"),
        ("heatmap.html", "heatmap.2.html"),
    ):
        texts = [(site / first).read_text(), (site / "parts" / second).read_text()]
        codes = [re.findall(r'<tr data-code="(\w+)"', t) for t in texts]
        assert codes == [["T0", "T1"], ["T2", "T3"]]
        assert all("Part 1 of 2" in t or "Part 2 of 2" in t for t in texts)
        assert f"parts/{second}" in texts[0]
    assert not (site / "data" / "national-tables.ods").exists() and (site / "data" / "national-tables.xlsx").exists()
    assert "left out for their size" in (site / "data.html").read_text()
    assert 'id="firm"' not in (site / "sections" / "T2.html").read_text()
    # Every link of the parts leads somewhere too.
    for path in site.rglob("*.html"):
        for link in re.findall(r'<a[^>]* href="([^"#?]+)', path.read_text("utf-8")):
            assert ":" in link or (path.parent / link).resolve().is_file(), (path, link)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"address": "example.org"}, "site.address"),
        ({"address": "https://example.org/?q=1"}, "site.address"),
        ({"feedback": "javascript:alert(1)"}, "site.feedback"),
        ({"licence_address": "ftp://x"}, "site.licence_address"),
        ({"updates": [{"date": "soon", "text": "x"}]}, "site.updates"),
    ],
)
def test_what_is_refused(told: dict[str, object], expected: str) -> None:
    with pytest.raises(StocktakeError, match=expected):
        settings_of({"instrument": "x", "site": told})
