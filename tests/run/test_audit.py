"""A collection from forms to packs, by way of real files: a small one by command, and the demo."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import page as checker
import polars as pl
import pypdfium2
import pytest
from openxml_audit import OdfValidator, OpenXmlValidator
from pptx import Presentation

import small_audit
from stocktake import cli
from stocktake.audit.ledger import read_ledger
from stocktake.problems import StocktakeError
from stocktake.render.forms import form_bytes
from stocktake.reports.audit.facts import reader_of
from stocktake.reports.model import blocks_of, numbers_of, plain, texts_of
from stocktake.run.audit import AuditRun, open_audit
from stocktake.run.audit_demo import DEMO_AREA, audit_folder, make_audit_demo
from stocktake.run.collection import open_collection
from stocktake.run.intake import form, known_collection, sign_off, take_in
from stocktake.run.packs import make_packs
from stocktake.run.trace import trace

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["stocktake", *map(str, words)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def fill(
    folder: Path, code: str, answers: dict[tuple[str, tuple[str, ...]], Any], template: str = "", name: str = ""
) -> Path:
    known_collection.cache_clear()
    one = form(open_collection(folder), code, template)
    path = folder / "returns" / (name or f"{code}{template}.xlsx")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(form_bytes(one, answers))
    return path


def trust(beds: Any, scale: float = 1.0) -> dict[tuple[str, tuple[str, ...]], Any]:
    out: dict[tuple[str, tuple[str, ...]], Any] = {("beds", ()): beds}
    for team in ("generic", "crisis"):
        out |= {("referrals", (team, s)): round(100 * scale) for s in ("gp", "other")}
        out |= {("accepted", (team,)): round(150 * scale), ("months", (team,)): 4.5}
    return out


def test_the_whole_way_by_command(tmp_path: Path, call: Call) -> None:
    folder = small_audit.folder(tmp_path / "audit")
    code, out, _ = call("audit", "template", folder)
    assert code == 0 and "7 forms" in out
    assert sorted(p.name for p in (folder / "templates").iterdir()) == [
        "C1.xlsx", "C2.xlsx", "L1-one.xlsx", "L1-two.xlsx", "T1.xlsx", "T2.xlsx", "T3.xlsx"]  # fmt: skip
    fill(folder, "T1", trust("=cmd|' /C calc'!A0"))
    fill(folder, "T2", trust("1,020", 2))
    fill(folder, "L1", {("workers", ()): 5, ("hours", ()): 5}, "one")
    fill(folder, "L1", {("hours", ()): 6, ("calls", ()): 9}, "two")
    fill(folder, "C1", {("spaces", ()): 7, ("shared", ("yes_",)): 1.0})
    (folder / "returns" / "letter.pdf").write_text("a letter", "utf-8")
    code, out, err = call("audit", "intake", folder)
    assert code == 1 and "5 received, 1 refused, 0 known before." in out and "letter.pdf: this is not an XLSX" in err
    assert (
        "4 of 6 organisations have answered." in out and "1 queries: no number" in out and "1 queries: conflict" in out
    )
    # What was sent is kept, byte for byte, the refused file too; and no text of it is a formula in the list of queries.
    assert len(list((folder / "received").iterdir())) == 6
    queries = openpyxl.load_workbook(folder / "queries" / "T1.xlsx")["Queries"]
    cells = [c for row in queries.iter_rows() for c in row if c.value is not None]
    assert all(c.data_type != "f" for c in cells) and any(str(c.value).startswith("=cmd") for c in cells)
    # The same files again change nothing; a later return replaces the earlier one.
    before = (folder / "ledger.jsonl").read_bytes()
    assert "0 received, 0 refused, 6 known before." in call("audit", "intake", folder)[1]
    assert (folder / "ledger.jsonl").read_bytes() == before
    fill(folder, "T1", trust(30), name="T1 again.xlsx")
    code, out, _ = call("audit", "intake", folder)
    assert code == 0 and "1 received" in out and "no number" not in out
    assert (folder / "ledger.jsonl").read_bytes().startswith(before)
    assert not (folder / "queries" / "T1.xlsx").exists()
    code, out, _ = call("audit", "sign", folder, "T1", "--by", "A. Name")
    assert code == 0 and "T1 again.xlsx signed off by A. Name." in out
    code, out, _ = call("benchmark", folder)
    assert code == 0 and "figures from the returns of 4 organisations" in out
    figures = pl.read_parquet(folder / "results" / "figures.parquet")
    shown = {(r["indicator"], r["part"], r["organisation"]): r for r in figures.iter_rows(named=True)}
    assert shown["A1", "", "S1"]["value"] == 1050 and shown["A2", "", "T1"]["value"] == 400
    answers = pl.read_parquet(folder / "results" / "answers.parquet")
    both = answers.filter(pl.col("item") == "hours").select("template", "used", "value").rows()
    assert both == [("two", True, 6.0), ("one", False, 5.0)]
    code, out, _ = call(
        "report",
        folder,
        "--organisation",
        "S1",
        "--organisation",
        "T1",
        "--organisation",
        "L1",
        "--organisation",
        "R1",
        "--organisation",
        "C1",
        "--format",
        "pdf,pptx,xlsx,ods",
    )
    assert code == 0 and "20 made" in out
    code, out, _ = call("report", folder, "--all")
    assert "2 made, 1 up to date already" in out
    assert call("report", folder)[2].startswith("say which packs")
    code, out, _ = call("audit", "trace", "A4", "T1", folder)
    assert (
        code == 0
        and "75%" in out
        and "T1 again.xlsx, sheet Team type, cell E7" in out
        and "signed off by A. Name" in out
    )
    code, out, _ = call("audit", "lint", folder)
    assert code == 0 and "Contradictions: 0." in out
    (folder / "said.yaml").write_text("summary: [About 14 million contacts.]\n", "utf-8")
    settings = (folder / "audit.yaml").read_text("utf-8")
    (folder / "audit.yaml").write_text(settings + "commentary: said.yaml\n", "utf-8")
    code, out, _ = call("audit", "lint", folder)
    assert code == 1 and "summary.0: 14 was typed" in out
    (folder / "audit.yaml").write_text(settings, "utf-8")
    code, out, _ = call("audit", "trace", "A2", "S1", folder)
    assert "Made of 2 of 2 organisations: T1, T2." in out and "registered people, aged 16+, 2016" in out
    assert "No figure: An organisation here serves other areas" in call("audit", "trace", "A2", "S2", folder)[1]
    for words, said in ((("A22", "T1"), "no indicator 'A22'"), (("A1", "T9"), "no organisation 'T9'"), (("A8", "T1"), "A8 has no figure of a trust"),
                        (("A5", "T1", folder, "--part", "gp/day"), "A5 has no part 'gp/day'")):  # fmt: skip
        code, _, err = call("audit", "trace", *words, *((folder,) if len(words) == 2 else ()))
        assert code == 2 and said in err


def test_results_that_no_longer_fit_are_not_told(tmp_path: Path, call: Call) -> None:
    folder = small_audit.folder(tmp_path / "audit")
    fill(folder, "T1", trust(30))
    assert call("audit", "intake", folder)[0] == 0
    assert call("report", folder, "--all")[2].rstrip().endswith("first.")
    call("benchmark", folder)
    assert open_audit(folder).results.kind == "audit"
    later = fill(folder, "T1", trust(31), name="later.xlsx")
    take_in(folder, now=datetime(2018, 1, 1, tzinfo=UTC))
    assert read_ledger(folder / "ledger.jsonl")[-1].when == "2018-01-01T00:00:00Z"
    assert "lists, or returns that were received" in call("report", folder, "--all")[2]
    call("benchmark", folder)
    with (folder / "small.yaml").open("a") as file:
        file.write("inferred: [More]\n")
    assert "the specification" in call("report", folder, "--all")[2]
    with (folder / "audit.yaml").open("a") as file:
        file.write("checks: {change: 3}\n")
    assert "checks in audit.yaml" in call("report", folder, "--all")[2]
    # A received file that is gone or was changed is noticed.
    kept = next(p for p in (folder / "received").iterdir() if p.read_bytes() == later.read_bytes())
    kept.write_bytes(b"x")
    code, _, err = call("benchmark", folder)
    assert code == 2 and "was changed or removed after it was received" in err


def test_mistakes_are_said(tmp_path: Path, call: Call) -> None:
    assert "no such file; `stocktake demo --audit`" in call("audit", "template", tmp_path)[2]
    folder = small_audit.folder(tmp_path / "audit", colour="red")
    assert "colour: this field is not known here" in call("audit", "template", folder)[2]
    folder = small_audit.folder(tmp_path / "audit")
    assert "no organisation 'T9' is asked" in call("audit", "template", folder, "--organisation", "T9")[2]
    assert "no such folder of returns" in call("audit", "intake", folder)[2]
    with pytest.raises(StocktakeError, match="say who signs off"):
        sign_off(folder, "T1", " ")
    with pytest.raises(StocktakeError, match="nothing was received from 'T1'"):
        sign_off(folder, "T1", "A. Name")
    fill(folder, "T1", trust(30))
    call("audit", "intake", folder)
    call("benchmark", folder)
    with pytest.raises(StocktakeError, match="no organisation 'X'"):
        make_packs(folder, ["X"])
    run = open_audit(folder)
    with pytest.raises(StocktakeError, match="no organisation 'X'"):
        run.report("X")
    with pytest.raises(StocktakeError, match="cannot write"):
        run.report("S1").as_bytes(".doc")
    with pytest.raises(StocktakeError, match="is not a demo's"):
        audit_folder(folder)
    assert run.report("S1").write(tmp_path / "pack.xlsx").is_file() and run.check_disclosure() == []
    people = (folder / "populations.csv").read_text("utf-8")
    (folder / "populations.csv").write_text(people + "C1,weighted,16+,2016,9\n", "utf-8")
    assert "weighting shares people out by need" in call("benchmark", folder)[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("audit") / "demo"
    said: list[str] = []
    result = make_audit_demo(folder, said.append)
    assert result.templates == 569 and result.received == 425 and len(result.refused) == 1
    assert result.queries > result.queries_left
    return folder, said


@pytest.fixture(scope="module")
def run(made: tuple[Path, list[str]]) -> AuditRun:
    return open_audit(made[0])


def words_of(path: Path) -> str:
    """Every word of a document, hidden sheets and charts' own data among them."""
    if path.suffix == ".pdf":
        return "\n".join(p.get_textpage().get_text_range() for p in pypdfium2.PdfDocument(path))
    import zipfile

    out = []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if content[:2] == b"PK":
                with zipfile.ZipFile(io.BytesIO(content)) as inner:
                    out += [inner.read(n).decode("utf-8", "replace") for n in inner.namelist()]
            out.append(content.decode("utf-8", "replace"))
    return "\n".join(out)


def test_the_pack_has_every_display_and_names_nobody_elses(made: tuple[Path, list[str]], run: AuditRun) -> None:
    spec, register = run.collection.spec, run.collection.register
    folder = made[0] / "reports" / DEMO_AREA
    assert sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) == [
        f"data-pack.{e}" for e in ("ods", "pdf", "pptx", "xlsx")
    ]
    report = run.report(DEMO_AREA).report
    titles = "\n".join(
        [p.title for p in report.pages] + [str(b.text) for b in blocks_of(report) if hasattr(b, "level")]
    )
    missing = [i.code for i in spec.indicators if f"{i.code} " not in titles]
    assert len(spec.indicators) == 81 and missing == []
    own = {DEMO_AREA, *(m for k in ("trust", "ccg", "la") for m in register.members(DEMO_AREA, k, spec.census))}  # type: ignore[arg-type]
    others = [b.name for b in register.bodies.values() if b.kind in ("trust", "ccg", "la") and b.code not in own]
    # One invented name may be a part of another.
    others = [n for n in others if not any(n in register.bodies[c].name for c in own)]
    for path in folder.iterdir():
        if not path.name.startswith("."):
            text = words_of(path)
            assert [n for n in others if n in text] == [], path.name


def test_every_figure_in_a_sentence_is_a_result(run: AuditRun) -> None:
    figures = run.results.tables["figures"]
    known = {
        round(v, 6)
        for column in ("value", "numerator", "denominator", "organisations", "asked")
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


def test_packs_of_every_kind_of_reader_are_sound(run: AuditRun, tmp_path: Path) -> None:
    """An area with a figure, one whose trust serves three, a region, a trust, a CCG and an authority; by the formats' rules."""
    register, day = run.collection.register, run.collection.spec.census
    three = next(c for c in register.of_kind("trust", day) if len(register.parents(c, "stp", day)) == 3)
    spans = register.parents(three, "stp", day)[0]
    for code in (DEMO_AREA, spans, "R2", three, "C001", "L001"):
        pack = run.report(code)
        assert checker.validate_pdf_bytes(
            pack.as_bytes(".pdf"), profile=checker.ValidationProfile.PDF_UA_1
        ).is_compliant
        assert reader_of(register, code, day).name == pack.report.organisation
    said = "\n".join(plain(t) for b in blocks_of(run.report(spans).report) for t in texts_of(b))
    assert "serves several areas" in said and "no figure. An organisation here serves other areas as well" in said
    for ending in (".pptx", ".xlsx", ".ods"):
        path = run.report(DEMO_AREA).write(tmp_path / f"pack{ending}")
        result = (OdfValidator() if ending == ".ods" else OpenXmlValidator()).validate(str(path))
        known = ("Style 'Note' (family 'graphic')", "Duplicate style name 'Default'", "Duplicate style name 'Note'")
        found = [e.description for e in result.errors if "ERROR" in str(e.severity)]
        assert [d for d in found if not (ending == ".ods" and d.startswith(known))] == [], ending
    deck = Presentation(str(tmp_path / "pack.pptx"))
    titles = [s.shapes.title.text_frame.text for s in deck.slides]
    assert len(set(titles)) == len(titles)


def test_the_demo_says_what_it_did_and_traces_a_figure(made: tuple[Path, list[str]]) -> None:
    folder, said = made
    assert any("notes from a telephone call.xlsx" in s for s in said)
    lines = trace(folder, "A3", DEMO_AREA)
    assert "Made of 1 of 1 organisations" in lines[3] and "signed off by A. Director" in lines[4]
    entered = pl.read_parquet(folder / "results" / "answers.parquet")
    assert entered.filter(pl.col("used"))["organisation"].n_unique() == 331
    # It begins again from nothing in a folder of its own, and leaves another's alone.
    with pytest.raises(StocktakeError, match="is not a demo's"):
        make_audit_demo(small_audit.folder(folder.parent / "own"), said.append)
    shutil.rmtree(folder.parent / "own")
