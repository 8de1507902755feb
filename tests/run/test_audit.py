"""A collection from forms to packs, by way of real files: a small one by command, and the demo."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import polars as pl
import pytest

import small_audit
from stocktake import cli
from stocktake.audit.ledger import read_ledger
from stocktake.problems import StocktakeError
from stocktake.render.forms import form_bytes
from stocktake.run.audit import AuditRun, open_audit
from stocktake.run.audit_demo import audit_folder
from stocktake.run.collection import open_collection
from stocktake.run.intake import form, known_collection, sign_off, take_in
from stocktake.run.packs import make_packs

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
        "pdf,pptx,xlsx,ods,html",
    )
    assert code == 0 and "25 made" in out
    code, out, _ = call("report", folder, "--all")
    assert "2 made, 1 up to date already" in out
    assert call("report", folder)[2].startswith("say which packs")
    code, out, _ = call("audit", "trace", "A4", "T1", folder)
    assert (
        code == 0
        and "75% of referrals = 150 / 200 x 100" in out
        and "T1 again.xlsx, sheet Team type, cell E7" in out
        and "signed off by A. Name" in out
    )
    code, out, _ = call("audit", "lint", folder)
    assert code == 0 and "Contradictions: 0." in out
    code, out, _ = call("disclosure", folder)
    assert code == 0 and "can be worked out" in out
    # A site shows everything to everybody, so it is made only where everybody is named.
    assert "names of trusts, CCGs, local authorities cannot be hidden" in call("site", folder)[2]
    open_ = (folder / "audit.yaml").read_text("utf-8")
    (folder / "audit.yaml").write_text(open_ + "names: {trust: everyone, ccg: everyone, la: everyone}\n", "utf-8")
    code, out, _ = call("site", folder)
    assert code == 0 and "index.html in a browser" in out
    site = folder / "site"
    assert len(list((site / "packs").iterdir())) == 10 and (site / "charts" / "A1.svg").is_file()
    for page in site.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="([^"#:]+)"', page.read_text("utf-8")):
            assert (page.parent / link).is_file(), (page, link)
    _programs_are_served(site, open_audit(folder))
    told = "site: {address: 'https://example.org/audit', publisher: A network, licence: Open, licence_address: 'https://example.org/l', feedback: 'mailto:a@example.org'}\n"
    (folder / "audit.yaml").write_text(
        open_ + "names: {trust: everyone, ccg: everyone, la: everyone}\n" + told, "utf-8"
    )
    assert call("site", folder)[0] == 0
    assert 'content="https://example.org/audit/packs/S1.html"' in (site / "packs" / "S1.html").read_text("utf-8")
    assert 'href="https://example.org/audit/static/site.css"' in (site / "404.html").read_text("utf-8")
    assert "<loc>https://example.org/audit/packs/S1.html</loc>" in (site / "sitemap.xml").read_text("utf-8")
    assert "Figures of the census" in (site / "feed.xml").read_text("utf-8")
    first = (site / "index.html").read_text("utf-8")
    told_of = json.loads(re.search(r'ld\+json">(.*?)</script>', first).group(1))  # type: ignore[union-attr]
    assert (
        told_of["creator"]["name"] == "A network"
        and 'rel="license">Open</a>' in first
        and "mailto:a@example.org" in first
    )
    assert (site / "static" / "card.png").read_bytes().startswith(b"\x89PNG")
    (folder / "audit.yaml").write_text(open_, "utf-8")
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


def _programs_are_served(site: Path, run: AuditRun) -> None:
    """Documents have the shape that they say, and the figures of the results; nothing that is withheld is in them."""
    api, figures = site / "api" / "v1", run.results.tables["figures"]
    listed = json.loads((api / "index.json").read_text("utf-8"))
    assert [o["code"] for o in listed["organisations"]] == list(run.organisations)
    for kind, codes in (
        ("organisation", [o["code"] for o in listed["organisations"]]),
        ("display", [d["code"] for d in listed["displays"]]),
    ):
        shape = json.loads((api / f"{kind}.schema.json").read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(shape)
        for code in codes:
            told = json.loads((api / f"{kind}s" / f"{code}.json").read_text("utf-8"))
            jsonschema.validate(told, shape)
            own = figures.filter(pl.col("organisation" if kind == "organisation" else "indicator") == code)
            assert [f.get("value") for f in told["figures"]] == [
                None if v is None else round(v, 4) for v in own["value"].to_list()
            ]
            assert all("value" not in f for f in told["figures"] if f["status"] != "shown")
    for name in ("figures", "summaries", "national"):
        assert pl.read_parquet(site / "data" / f"{name}.parquet").equals(run.results.tables[name])
    # The first page of a pack says what is unusual, and is light.
    assert max(p.stat().st_size for p in (site / "packs").glob("*.html")) < 60_000


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
    assert "no such file; `stocktake demo audit`" in call("audit", "template", tmp_path)[2]
    folder = small_audit.folder(tmp_path / "audit", colour="red")
    assert "colour: this field is not known here" in call("audit", "template", folder)[2]
    folder = small_audit.folder(tmp_path / "audit")
    assert "this folder holds an audit" in call("check", folder)[2]
    for command in ("site", "disclosure"):
        assert "no results here yet" in call(command, folder)[2]
    assert "no organisation 'T9' is asked" in call("audit", "template", folder, "--organisation", "T9")[2]
    assert "no such folder of returns" in call("audit", "intake", folder)[2]
    with pytest.raises(StocktakeError, match="say who signs off"):
        sign_off(folder, "T1", " ")
    with pytest.raises(StocktakeError, match="nothing was received from 'T1'"):
        sign_off(folder, "T1", "A. Name")
    assert "nothing was received yet; run `stocktake audit intake` first." in call("benchmark", folder)[2]
    organisations = (folder / "organisations.csv").read_text("utf-8")
    (folder / "organisations.csv").write_text(organisations.replace(",country", ",region"), "utf-8")
    assert "0 rows of the kind country on 2017-03-31; expected one" in call("audit", "template", folder)[2]
    (folder / "organisations.csv").write_text(organisations.replace("code,name", "kode,name"), "utf-8")
    assert (
        call("audit", "template", folder)[2]
        == "organisations.csv, row 1: column 'code' is missing. Did you mean 'kode'?\n"
    )
    (folder / "organisations.csv").write_text(organisations.replace(",ccg", ",cgc"), "utf-8")
    assert len(call("audit", "template", folder)[2].splitlines()) == 2
    (folder / "organisations.csv").write_text(organisations, "utf-8")
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
    assert run.report("S1").write(tmp_path / "pack.xlsx").is_file()
    people = (folder / "populations.csv").read_text("utf-8")
    (folder / "populations.csv").write_text(people + "C1,weighted,16+,2016,9\n", "utf-8")
    assert "weighting shares people out by need" in call("benchmark", folder)[2]


def test_names_that_try_to_be_more_than_text(tmp_path: Path, call: Call) -> None:
    folder = small_audit.folder(tmp_path / "audit")
    script, formula = "<script>alert(1)</script> #let x = 1 $y$", '=HYPERLINK("http://example.invalid")'
    organisations = (folder / "organisations.csv").read_text("utf-8").replace("First Trust", script)
    quoted = formula.replace('"', '""')
    (folder / "organisations.csv").write_text(organisations.replace("Second Trust", f'"{quoted}"'), "utf-8")
    fill(folder, "T1", trust(30))
    fill(folder, "T2", trust(20, 2))
    assert call("audit", "intake", folder)[0] == 0 and call("benchmark", folder)[0] == 0
    code, out, _ = call(
        "report", folder, "--organisation", "S1", "--organisation", "T2", "--format", "pdf,pptx,xlsx,ods,html"
    )
    assert code == 0 and "10 made" in out
    page = (folder / "reports" / "S1" / "data-pack.html").read_text("utf-8")
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page
    everyone = "names: {trust: everyone, ccg: everyone, la: everyone}\n"
    with (folder / "audit.yaml").open("a", encoding="utf-8") as file:
        file.write(everyone + "site: {address: 'https://example.org', publisher: '</script><script>alert(2)'}\n")
    assert call("site", folder)[0] == 0
    for path in (folder / "site").rglob("*.html"):
        found = path.read_text("utf-8")
        assert "<script>alert" not in found and "</script><script" not in found, path
    told = json.loads((folder / "site" / "api" / "v1" / "organisations" / "T1.json").read_text("utf-8"))
    assert told["name"] == script
    table = (folder / "site" / "data" / "displays" / "A1.csv").read_text("utf-8")
    assert "'=HYPERLINK" in table and ",=HYPERLINK" not in table and '"=HYPERLINK' not in table
    ET.fromstring((folder / "site" / "feed.xml").read_text("utf-8"))
    book = openpyxl.load_workbook(folder / "reports" / "T2" / "data-pack.xlsx")
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
    assert all(c.data_type != "f" for c in cells) and any(c.value == formula for c in cells)
