"""Decks and workbooks by the rules of their formats: they open, say what the results say, and can be read aloud."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pypdfium2
import pytest
import python_calamine
from openxml_audit import OdfValidator, OpenXmlValidator
from pptx import Presentation
from pptx.util import Emu

from helpers import most_withheld
from hostile import LABEL, NAMES
from stocktake.files import write_file
from stocktake.reports.charts import BandStrip, RankedBars
from stocktake.reports.model import Figure, blocks_of
from stocktake.reports.words import as_shown
from stocktake.results.schemas import LIMITS
from stocktake.run.core import Run, open_run
from stocktake.run.documents import national_contents
from stocktake.run.workbook import published

PICTURES = ("graphicFrame", "pic")


@pytest.fixture(scope="module")
def run(demo: Path) -> Run:
    return open_run(demo)


@pytest.fixture(scope="module")
def decks(run: Run, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("decks")
    wanted = [("Z01", "trust"), (most_withheld(run), "trust"), ("Z01", "service-groups"), ("Z53", "service-groups")]
    return [run.report(c, e).write(folder / f"{c}-{e}.pptx") for c, e in wanted]  # type: ignore[arg-type]


def write_national(run: Run, folder: Path) -> None:
    for name, content in national_contents(run, ["national"]):
        write_file(folder / name, content)


@pytest.fixture(scope="module")
def national(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("national")
    write_national(run, folder)
    return folder


def errors_of(path: Path) -> list[str]:
    result = (OdfValidator() if path.suffix == ".ods" else OpenXmlValidator()).validate(str(path))
    # Of the ODS library's own template: the checker does not know that a name may be used once in each family.
    known = ("Style 'Note' (family 'graphic')", "Duplicate style name 'Default'", "Duplicate style name 'Note'")
    found = [e.description for e in result.errors if "ERROR" in str(e.severity)]
    return [d for d in found if not (path.suffix == ".ods" and d.startswith(known))]


def test_decks_and_workbooks_are_valid(decks: list[Path], national: Path, run: Run, hostile: Path) -> None:
    more = [run.report("Z02").write(national / f"own.{ending}") for ending in ("xlsx", "ods")]
    nasty = [hostile / "reports" / "T5" / f"benchmark-report.{e}" for e in ("pptx", "xlsx", "ods")]
    # The small survey's groups have all kinds of slides of the demo's, in a tenth of the time.
    nasty += [hostile / "reports" / "T5" / f"{name}.pptx" for name in ("service-groups-report", "board")]
    whole = [national / f"published-layout.{e}" for e in ("xlsx", "ods")]
    # The first deck is of the same kind as the second, whose figures are mostly withheld.
    for path in (decks[1], decks[3], *more, *nasty, *whole):
        assert errors_of(path) == [], path.name


def test_every_slide_has_a_title_of_its_own_and_every_picture_its_words(decks: list[Path]) -> None:
    for path in decks:
        deck = Presentation(str(path))
        titles = [s.shapes.title.text_frame.text for s in deck.slides]
        assert len(set(titles)) == len(titles) and all(titles)
        for slide in deck.slides:
            shapes = list(slide.shapes)
            # A screen reader goes in the order of the shapes: the title first, the foot last.
            assert shapes[0].shape_id == slide.shapes.title.shape_id
            foot = [i for i, s in enumerate(shapes) if s.is_placeholder and s.placeholder_format.idx >= 10]
            assert foot == list(range(len(shapes) - len(foot), len(shapes))) and len(foot) == 2
            ids = [s.shape_id for s in shapes]
            assert len(set(ids)) == len(ids)
            for shape in shapes:
                if shape._element.tag.endswith(PICTURES):
                    alt = shape._element.xpath(".//p:cNvPr")[0].get("descr")
                    assert alt and len(alt) > 5, (path.name, shape.name)
                assert shape.left >= 0 and shape.left + shape.width <= deck.slide_width + Emu(2)
                assert shape.top >= 0 and shape.top + shape.height <= deck.slide_height


def test_charts_are_native_and_say_what_the_report_says(run: Run, decks: list[Path]) -> None:
    report = run.report("Z01").report
    models = [b.chart for b in blocks_of(report) if isinstance(b, Figure)]
    deck = Presentation(str(decks[0]))
    charts = [s.chart for slide in deck.slides for s in slide.shapes if s.has_chart]
    assert not [s for slide in deck.slides for s in slide.shapes if s._element.tag.endswith("pic")]
    ranked = [m for m in models if isinstance(m, RankedBars)]
    native = [c for c in charts if len(list(c.plots)) == 2]
    assert len(native) == len(ranked) == 13
    for chart, model in zip(native, ranked, strict=True):
        bars = [list(s.values) for s in chart.plots[0].series]
        together = [next(v for v in at if v is not None) for at in zip(*bars, strict=True)]
        assert together == [as_shown(b.value) for b in model.bars]
        assert list(chart.plots[0].categories) == [b.label for b in model.bars]
        assert set(chart.plots[1].series[0].values) == {as_shown(model.average or 0)}
    strips = [m for m in models if isinstance(m, BandStrip)]
    stacked = [s.chart for slide in deck.slides for s in slide.shapes if s.name == "Band strip"]
    assert len(stacked) == len(strips)
    for chart, model in zip(stacked, strips, strict=True):
        widths = [s.values[0] for s in chart.plots[0].series]
        assert widths[0] == as_shown(model.lowest)
        assert sum(widths) == pytest.approx(as_shown(model.highest))


def test_marks_stand_where_the_scores_are(run: Run, decks: list[Path]) -> None:
    """The distance between the two marks of a strip is that of the scores on the strip's own scale."""
    report = run.report("Z01").report
    strips = [b.chart for b in blocks_of(report) if isinstance(b, Figure) and isinstance(b.chart, BandStrip)]
    deck = Presentation(str(decks[0]))
    found = []
    for slide in deck.slides:
        shapes = list(slide.shapes)
        for i, shape in enumerate(shapes):
            if shape.has_chart and shape.name == "Band strip":
                marks = [s for s in shapes[i + 1 : i + 5] if s.name == "Mark"]
                found.append((shape, marks))
    assert len(found) == len(strips)
    for (shape, marks), model in zip(found, strips, strict=True):
        scale = shape.width * 0.96 / 10
        assert model.own is not None
        assert (marks[1].left - marks[0].left) / scale == pytest.approx(model.own - model.average, abs=0.01)
        assert (marks[0].left - shape.left - shape.width * 0.02) / scale == pytest.approx(model.average, abs=0.01)


def test_decks_and_workbooks_open_in_libreoffice(office: str, decks: list[Path], run: Run, tmp_path: Path) -> None:
    books = [run.report("Z01").write(tmp_path / f"book.{e}") for e in ("xlsx", "ods")]
    for path in (decks[3], *books):
        command = [office, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "pdf"]
        out = tmp_path / path.suffix[1:]
        subprocess.run([*command, "--outdir", str(out), str(path)], check=True, capture_output=True, timeout=180)
        pages = pypdfium2.PdfDocument(out / f"{path.stem}.pdf")
        text = "\n".join(p.get_textpage().get_text_range() for p in pages)
        assert run.organisations["Z01" if path is not decks[3] else "Z53"] in text
        if path.suffix == ".pptx":
            assert len(pages) == len(Presentation(str(path)).slides)


def sheets(path: Path) -> dict[str, list[list[Any]]]:
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    return {n: book.get_sheet_by_name(n).to_python(skip_empty_area=False) for n in book.sheet_names}


@pytest.mark.parametrize("ending", ["xlsx", "ods"])
def test_workbooks_follow_the_rules_for_accessible_spreadsheets(run: Run, tmp_path: Path, ending: str) -> None:
    path = run.report("Z01").write(tmp_path / f"own.{ending}")
    found = sheets(path)
    assert list(found)[:3] == ["Cover", "Contents", "Notes"]
    listed = [row[0] for row in found["Contents"][3:]]
    assert listed == list(found)[2:]
    for name, rows in found.items():
        assert rows[0][0], f"{name}: no title in A1"
        assert all(not c for c in rows[0][1:])
        if name != "Cover":
            header = next(i for i, r in enumerate(rows) if len([c for c in r if c != ""]) > 1)
            assert all(str(c) for row in rows[header:] for c in row), f"{name}: an empty cell inside its table"
    content = "".join(
        zipfile.ZipFile(path).read(n).decode("utf-8", "replace")
        for n in zipfile.ZipFile(path).namelist()
        if n.endswith(".xml")
    )
    assert "mergeCell" not in content and "number-columns-spanned" not in content
    if ending == "xlsx":
        tables = [n for n in zipfile.ZipFile(path).namelist() if n.startswith("xl/tables/")]
        assert len(tables) == len(found) - 1
    assert 'state="hidden"' not in content and 'table:display="false"' not in content


@pytest.mark.parametrize("ending", ["xlsx", "ods"])
def test_the_published_layout_gives_the_same_results_back(run: Run, national: Path, ending: str) -> None:
    back = published(national / f"published-layout.{ending}", instrument="cmh_2024")
    everyone = (pl.col("group") == "all") & (pl.col("year") == 2024)
    ours, theirs = run.public.scores.filter(everyone), back.scores.filter(pl.col("year") == 2024)
    both = ours.join(theirs, on=["organisation", "measure"], suffix="_back", maintain_order="left")
    assert both.height == ours.height == theirs.height == 53 * 48
    for column in ("n", "band", "status"):
        assert both[column].to_list() == both[f"{column}_back"].to_list()
    for column in ("score", "lowest", "highest", "z", *LIMITS):
        one, other = both[column].to_numpy(), both[f"{column}_back"].to_numpy()
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
    # The layout has no averages: the mean of rounded scores is theirs to the last digit.
    np.testing.assert_allclose(both["national_average"], both["national_average_back"], rtol=0, atol=0.1 + 1e-9)
    assert both["spread_back"].null_count() == both.height
    changed = run.public.changes.filter((pl.col("group") == "all") & (pl.col("kind") == "question"))
    pair = changed.join(back.changes, on=["organisation", "measure", "year_then", "year_now"], suffix="_back")
    assert pair.height == changed.height
    for column in ("verdict", "n_then", "n_now"):
        assert pair[column].to_list() == pair[f"{column}_back"].to_list()
    work = run.public.fieldwork.filter(everyone).join(
        back.fieldwork.filter(pl.col("year") == 2024), on="organisation", suffix="_back"
    )
    assert work["completed"].to_list() == work["completed_back"].to_list()
    np.testing.assert_allclose(work["response_rate"], work["response_rate_back"], atol=1e-12)
    shares = run.public.profile.filter(everyone).join(
        back.profile, on=["organisation", "variable", "option"], suffix="_back"
    )
    assert shares.height == run.public.profile.filter(everyone).height
    np.testing.assert_allclose(shares["percent"].to_numpy(), shares["percent_back"].to_numpy(), atol=1e-12)


def test_an_official_workbook_comes_back_from_the_published_layout(imported: Path, tmp_path: Path) -> None:
    run = open_run(imported)
    write_national(run, tmp_path)
    back = published(tmp_path / "published-layout.xlsx", instrument=imported / "instrument.yaml")
    now = pl.col("year") == run.survey.year
    both = run.scores.filter(now).join(back.scores.filter(now), on=["organisation", "measure"], suffix="_back")
    assert both.height == 133 * 56
    for column in ("n", "band", "status"):
        assert both[column].to_list() == both[f"{column}_back"].to_list()
    for column in ("score", "z", "limit_much_worse", "limit_better"):
        np.testing.assert_allclose(both[column].to_numpy(), both[f"{column}_back"].to_numpy(), rtol=0, atol=1e-12)
    pair = run.changes.join(back.changes, on=["organisation", "measure", "year_then", "year_now"], suffix="_back")
    assert pair.height == run.changes.height
    for column in ("verdict", "status", "n_then", "score_then"):
        assert pair[column].to_list() == pair[f"{column}_back"].to_list()


def test_tidy_tables_are_what_their_metadata_says(run: Run, national: Path) -> None:
    stated = json.loads((national / "csv-metadata.json").read_text("utf-8"))
    kinds = {"string": pl.String, "double": pl.Float64, "integer": pl.Int64, "boolean": pl.Boolean}
    assert stated["@context"][0] == "http://www.w3.org/ns/csvw"
    for table in stated["tables"]:
        columns = table["tableSchema"]["columns"]
        schema = {c["name"]: kinds[c["datatype"]] for c in columns}
        frame = pl.read_csv(national / table["url"], schema_overrides=schema)
        assert frame.columns == list(schema)
        keys = table["tableSchema"]["primaryKey"]
        assert frame.select(keys).is_duplicated().sum() == 0
        assert all(frame[c["name"]].null_count() == 0 for c in columns if c["required"])
        whole = getattr(run.results, table["url"][:-4])
        assert frame.height == whole.height


def test_names_that_try_to_be_formulas_are_text_in_every_workbook(hostile: Path) -> None:
    for code, name in NAMES.items():
        for ending in ("xlsx", "ods"):
            path = hostile / "reports" / code / f"benchmark-report.{ending}"
            with zipfile.ZipFile(path) as archive:
                for inner in archive.namelist():
                    if inner.endswith(".xml"):
                        text = archive.read(inner).decode("utf-8")
                        assert "<f>" not in text and "<f " not in text and "table:formula" not in text
            cells = [str(c) for rows in sheets(path).values() for row in rows for c in row]
            assert any(name in c for c in cells)
            assert any(LABEL in c for c in cells)
    for path in (*hostile.glob("national/*.csv"), *hostile.glob("results/*.csv"), *hostile.glob("site/data/**/*.csv")):
        frame = pl.read_csv(path, infer_schema=False)
        for column in frame.columns:
            texts = frame[column].drop_nulls()
            risky = texts.filter(texts.str.contains(r"^[=+@\t\r]|^-[^0-9.]"))
            assert risky.is_empty(), (path.name, column, risky[0])


def test_names_that_try_to_be_markup_are_text_in_every_deck(hostile: Path) -> None:
    for code, name in NAMES.items():
        for edition in ("benchmark-report", "service-groups-report"):
            deck = Presentation(str(hostile / "reports" / code / f"{edition}.pptx"))
            assert deck.slides[0].shapes.title.text_frame.text == name
            words = " ".join(s.text_frame.text for slide in deck.slides for s in slide.shapes if s.has_text_frame)
            assert LABEL in words
            for slide in deck.slides:
                for relation in slide.part.rels.values():
                    assert not relation.is_external


def test_a_deck_can_be_restyled_in_its_master(decks: list[Path]) -> None:
    """Colours and fonts of text come from the theme, not from the slides."""
    with zipfile.ZipFile(decks[0]) as archive:
        theme = archive.read("ppt/theme/theme1.xml").decode()
        assert "005A9C" in theme and 'typeface="Arial"' in theme
        slides = [archive.read(n).decode() for n in archive.namelist() if n.startswith("ppt/slides/slide")]
        assert not any("005A9C" in s or "latin typeface" in s for s in slides)
        masters = [n for n in archive.namelist() if n.startswith("ppt/slideLayouts/slideLayout")]
        assert len(masters) == 4


def test_a_file_without_a_known_ending_is_refused(run: Run, tmp_path: Path) -> None:
    from stocktake.problems import StocktakeError

    with pytest.raises(StocktakeError, match=r"cannot write .docx; expected .pdf, .pptx, .xlsx or .ods"):
        run.report("Z01").write(tmp_path / "x.docx")


def test_embedded_workbooks_open(decks: list[Path]) -> None:
    with zipfile.ZipFile(decks[0]) as archive:
        inner = [n for n in archive.namelist() if n.startswith("ppt/embeddings/")]
        assert len(inner) > 80
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(archive.read(inner[0])))
        assert book.sheet_names == ["Sheet1"]
