"""The packs of the audit demo: every display, nobody else's name, sound by the rules of each format, for every kind of reader."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import page as checker
import polars as pl
import pypdfium2
import pytest
from openxml_audit import OdfValidator, OpenXmlValidator
from pptx import Presentation

import small_audit
from stocktake.problems import StocktakeError
from stocktake.reports.audit.facts import Naming, reader_of
from stocktake.reports.audit.pack import Pack
from stocktake.reports.books import words
from stocktake.reports.figure_charts import FigureBars
from stocktake.reports.model import Bullets, Columns, Figure, Link, Text, blocks_of, numbers_of, plain, texts_of
from stocktake.run.audit import AuditRun, open_audit
from stocktake.run.audit_demo import DEMO_AREA, make_audit_demo
from stocktake.run.trace import trace


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo as a reader makes it, by command; in a process of its own, for coverage makes it take twice as long."""
    folder = tmp_path_factory.mktemp("audit") / "demo"
    words = [sys.executable, "-m", "stocktake", "demo", "--audit", "--out", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "569 forms to fill in" in done.stdout
    assert "426 files came back; 425 were received, 1 refused." in done.stdout
    assert "16 corrected returns replaced earlier ones" in done.stdout
    return folder, done.stdout


@pytest.fixture(scope="module")
def run(made: tuple[Path, str]) -> AuditRun:
    return open_audit(made[0])


def words_of(path: Path) -> str:
    """Every word of a document, hidden sheets and charts' own data among them."""
    if path.suffix in (".html", ".svg"):
        return path.read_text("utf-8")
    if path.suffix == ".pdf":
        return "\n".join(p.get_textpage().get_text_range() for p in pypdfium2.PdfDocument(path))
    out = []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if content[:2] == b"PK":
                with zipfile.ZipFile(io.BytesIO(content)) as inner:
                    out += [inner.read(n).decode("utf-8", "replace") for n in inner.namelist()]
            out.append(content.decode("utf-8", "replace"))
    return "\n".join(out)


def test_the_pack_has_every_display_and_names_nobody_elses(made: tuple[Path, str], run: AuditRun) -> None:
    spec, register = run.collection.spec, run.collection.register
    folder = made[0] / "reports" / DEMO_AREA
    assert sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) == [
        f"data-pack.{e}" for e in ("html", "ods", "pdf", "pptx", "xlsx")
    ]
    report = run.report(DEMO_AREA).report
    titles = "\n".join(
        [p.title for p in report.pages] + [str(b.text) for b in blocks_of(report) if hasattr(b, "level")]
    )
    missing = [i.code for i in spec.displays if f"{i.code} " not in titles]
    assert len(spec.displays) == 81 and missing == []
    own = {DEMO_AREA, *(m for k in ("trust", "ccg", "la") for m in register.members(DEMO_AREA, k, spec.census))}  # type: ignore[arg-type]
    others = [b.name for b in register.bodies.values() if b.kind in ("trust", "ccg", "la") and b.code not in own]
    # One invented name may be a part of another.
    others = [n for n in others if not any(n in register.bodies[c].name for c in own)]
    for path in (*folder.iterdir(), *(folder.parent / "charts").iterdir()):
        if not path.name.startswith("."):
            text = words_of(path)
            assert [n for n in others if n in text] == [], path.name


def test_who_is_named_is_a_setting(run: AuditRun) -> None:
    """A reader's own organisations, those highlighted with it too, or all, by kind; what is not named has a code."""
    collection = run.collection
    register, day = collection.register, collection.spec.census
    trusts = [register.bodies[c].name for c in register.of_kind("trust", day)]
    region = set(register.members(register.parents(DEMO_AREA, "region", day)[0], "trust", day))

    def named(rule: Literal["own", "near", "everyone"]) -> tuple[set[str], set[str]]:
        pack = Pack(
            run.results,
            collection.spec,
            register,
            collection.commentary,
            secret="eight words",
            naming=Naming(trust=rule),
        )
        report, book = pack.report(DEMO_AREA), pack.book(DEMO_AREA)
        everyone = next(s for s in book.sheets if s.name == "All organisations")
        place = [c.title for c in everyone.columns].index("Organisation")
        cells = set(everyone.cells.select(words(place)).collect().to_series().to_list())
        shown = {b.label for block in blocks_of(report) if isinstance(block, Figure) and isinstance(block.chart, FigureBars)
                 for b in block.chart.bars}  # fmt: skip
        return cells & set(trusts), shown & set(trusts)

    own, near, everyone = (named(rule) for rule in ("own", "near", "everyone"))  # type: ignore[arg-type]
    assert {len(n) for n in own} == {1}
    assert near[0] == near[1] == {register.bodies[c].name for c in region}
    assert everyone[0] == everyone[1] == set(trusts)


def test_an_organisations_pack_has_no_figure_of_those_beside_it(run: AuditRun) -> None:
    """Its area's organisations are named on the page about the pack alone; everywhere else they stand under codes."""
    register, day = run.collection.register, run.collection.spec.census
    for code in (register.members(DEMO_AREA, "trust", day)[0], register.members(DEMO_AREA, "la", day)[0]):
        names = [b.name for b in register.bodies.values() if b.kind in ("trust", "ccg", "la") and b.code != code]
        names = [n for n in names if n not in register.bodies[code].name]
        report, book = run.report(code).report, run.report(code).book
        rest = replace(report, pages=tuple(p for p in report.pages if p.kind != "about"))
        said = repr(rest) + "".join(str(s.cells.collect().to_dict(as_series=False)) for s in book.sheets)
        assert register.bodies[code].name in said
        assert [n for n in names if n in said] == []


def test_every_figure_in_a_sentence_is_a_result(run: AuditRun) -> None:
    figures = run.results.tables["figures"]
    known = {
        round(v, 6)
        for column in ("value", "numerator", "denominator", "organisations", "asked", "funnel_lower", "funnel_upper")
        for v in figures[column].drop_nulls().to_list()
    }
    for table in ("summaries", "national"):
        for column in run.results.tables[table].columns:
            series = run.results.tables[table][column]
            if series.dtype.is_numeric():
                known |= {round(float(v), 6) for v in series.drop_nulls().to_list()}
    numbers = list(numbers_of(run.report(DEMO_AREA).report))
    assert len(numbers) > 500
    assert [n for n in numbers if round(float(n.value), 6) not in known] == []


def test_what_stands_out_is_in_an_outer_quarter_or_beyond_the_limits(run: AuditRun) -> None:
    """The first page of a pack, worked out again from the figures of all organisations."""
    spec, figures = run.collection.spec, run.results.tables["figures"]
    page = next(p for p in run.report(DEMO_AREA).report.pages if p.kind == "standout")
    sides = next(b for b in page.blocks if isinstance(b, Columns))
    found = {}
    for name, side in (("high", sides.left), ("low", sides.right)):
        lines = next((b.items for b in side if isinstance(b, Bullets)), ())
        found[name] = {next(x for x in t.parts if isinstance(x, Link)).text.split(" ")[0] for t in lines}
    expected: dict[str, set[str]] = {"high": set(), "low": set()}
    ranked = 0
    for indicator in spec.indicators:
        if indicator.chart != "ranked bars" or indicator.form == "total":
            continue
        here = (pl.col("indicator") == indicator.code) & (pl.col("part") == "") & pl.col("year").is_null()
        shown = figures.filter(here & (pl.col("status") == "shown"))
        everyone = shown.filter(pl.col("kind") == indicator.of)["value"].to_numpy()
        own = shown.filter(pl.col("organisation") == DEMO_AREA)["value"].to_list()
        if own and len(everyone):
            low, high = np.quantile(everyone, [0.25, 0.75])
            ranked += 1
            expected["high"] |= {indicator.code} if own[0] > high else set()
            expected["low"] |= {indicator.code} if own[0] < low else set()
    assert found == expected and found["high"] and found["low"]
    first = next(b for b in page.blocks if isinstance(b, Text))
    assert f"{ranked} figures" in plain(first) and f"{len(found['high'])} in the highest quarter" in plain(first)


def test_packs_of_every_kind_of_reader_are_sound(run: AuditRun, made: tuple[Path, str]) -> None:
    """An area whose trust serves three, an authority, and every other format of an area with its own figures; by the formats' rules."""
    register, day = run.collection.register, run.collection.spec.census
    three = next(c for c in register.of_kind("trust", day) if len(register.parents(c, "stp", day)) == 3)
    spans = register.parents(three, "stp", day)[0]
    for code in (spans, "L001"):
        pack = run.report(code)
        assert checker.validate_pdf_bytes(
            pack.as_bytes(".pdf"), profile=checker.ValidationProfile.PDF_UA_1
        ).is_compliant
        assert reader_of(register, code, day).name == pack.report.organisation
    said = "\n".join(plain(t) for b in blocks_of(run.report(spans).report) for t in texts_of(b))
    assert "serves several areas" in said and "no figure. An organisation here serves other areas as well" in said
    for ending in (".pptx", ".xlsx", ".ods"):
        path = made[0] / "reports" / DEMO_AREA / f"data-pack{ending}"
        result = (OdfValidator() if ending == ".ods" else OpenXmlValidator()).validate(str(path))
        known = ("Style 'Note' (family 'graphic')", "Duplicate style name 'Default'", "Duplicate style name 'Note'")
        found = [e.description for e in result.errors if "ERROR" in str(e.severity)]
        assert [d for d in found if not (ending == ".ods" and d.startswith(known))] == [], ending
    deck = Presentation(str(made[0] / "reports" / DEMO_AREA / "data-pack.pptx"))
    titles = [s.shapes.title.text_frame.text for s in deck.slides]
    assert len(set(titles)) == len(titles)


def test_the_demo_says_what_it_did_and_traces_a_figure(made: tuple[Path, str]) -> None:
    folder, said = made
    assert "notes from a telephone call.xlsx: this is not an XLSX workbook" in said
    lines = trace(folder, "A3", DEMO_AREA)
    assert "Made of 1 of 1 organisations" in lines[3] and "signed off by A. Director" in lines[4]
    entered = pl.read_parquet(folder / "results" / "answers.parquet")
    assert entered.filter(pl.col("used"))["organisation"].n_unique() == 331
    # It begins again from nothing in a folder of its own, and leaves another's alone.
    with pytest.raises(StocktakeError, match="is not a demo's"):
        make_audit_demo(small_audit.folder(folder.parent / "own"), print)
    shutil.rmtree(folder.parent / "own")


def test_the_web_page_of_a_pack(made: tuple[Path, str], browser: Any) -> None:
    """Nothing is missing or wider than the window, in a real browser; every rule of accessibility holds."""
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": 320, "height": 900}, color_scheme="dark")
    wrong: list[str] = []
    page.on("requestfailed", lambda r: wrong.append(r.url))
    page.goto(f"file://{made[0]}/reports/{DEMO_AREA}/data-pack.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
    page.wait_for_function("Array.from(document.images).every(i => i.complete && i.naturalWidth > 0)")
    assert page.evaluate("document.images.length") == len(list((made[0] / "reports" / "charts").glob("*.svg")))
    assert not wrong
    found = Axe().run(page).response["violations"]
    assert not found, [(v["id"], v["nodes"][0]["html"][:200]) for v in found]
    page.close()
