"""Lists of services and earlier figures; sentences whose figures are references; the simulated collection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from small_audit import register, spec
from stocktake.audit.answers import answers_of
from stocktake.audit.areas import TILES, areas
from stocktake.audit.commentary import (
    Commentary,
    library_commentary,
    load_commentary,
    parse_commentary,
    split,
    typed_figures,
)
from stocktake.audit.figures import Source
from stocktake.audit.lists import read_earlier, read_services
from stocktake.audit.simulate import faults, simulate
from stocktake.audit.specification import load
from stocktake.audit.tables import national_rows, summary_rows
from stocktake.organisations.invented import invented_places
from stocktake.problems import StocktakeError

SPEC, WHO = spec(), register()


def csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(text, "utf-8")
    return path


def test_services(tmp_path: Path) -> None:
    path = csv(tmp_path, "code,dimension,option\nT1,team,generic\nT1,source,gp\n")
    assert read_services(path, SPEC, WHO) == {"T1": {"team": frozenset(["generic"]), "source": frozenset(["gp"])}}
    path = csv(tmp_path, "code,dimension,option\nT9,team,generic\nT1,tea,generic\nT1,team,generik\n")
    with pytest.raises(StocktakeError) as caught:
        read_services(path, SPEC, WHO)
    assert [p.split(":")[1][:20] for p in caught.value.problems] == [
        " no organisation 'T9",
        " no dimension 'tea'.",
        " 'team' has no optio",
    ]


def test_earlier_figures(tmp_path: Path) -> None:
    head = "organisation,item,parts,year,value\n"
    path = csv(tmp_path, head + 'ENG,past,generic,2015,"3,000"\nT1,beds,,2015,28\n')
    assert read_earlier(path, SPEC, WHO) == {("ENG", "past", ("generic",), 2015): 3000, ("T1", "beds", (), 2015): 28}
    bad = "T9,bed,generic,15,-1\nT1,beds,generic,2015,1\nT1,referrals,generic/nobody,2015,1\nT1,beds,,2016,1\nT1,beds,,2016,2\n"
    with pytest.raises(StocktakeError) as caught:
        read_earlier(csv(tmp_path, head + bad), SPEC, WHO)
    said = "\n".join(caught.value.problems)
    for words in ("no organisation 'T9'", "no item 'bed'", "column year: found '15'", "column value: found '-1'",
                  "expected one option each of nothing", "expected one option each of team, source", "a second figure for T1, beds, all, 2016"):  # fmt: skip
        assert words in said


def test_sentences_refer_to_what_there_is(tmp_path: Path) -> None:
    text = 'summary: ["Beds: {A1.mean}, {A5.england.gp/all}."]\nindicators: {A1: ["In 2017 of 100,000 people 14 million."]}\n'
    found = parse_commentary(text, "c.yaml", SPEC)
    assert [p if isinstance(p, str) else p.part for p in split(found.summary[0])] == ["Beds: ", "", ", ", "gp/all", "."]
    assert split("{A1.mean}")[0] == ("A1", "mean", "") and split("plain") == ["plain"]
    assert list(typed_figures(found)) == [("indicators.A1.0", "14")]
    wrong = 'summary: ["{Z9.mean} {A1.meen} {A5.england} {A1.mean.gp}"]\nindicators: {Z8: ["a"]}\n'
    with pytest.raises(StocktakeError) as caught:
        parse_commentary(wrong, "c.yaml", SPEC)
    said = "\n".join(caught.value.problems)
    for words in (
        "no indicator 'Z9'",
        "no indicator 'Z8'",
        "no figure 'meen'",
        "A5 has no part ''; expected one of",
        "A1 has no part 'gp'; expected none",
    ):
        assert words in said
    path = tmp_path / "c.yaml"
    path.write_text(text, "utf-8")
    assert load_commentary(path, SPEC) == found
    with pytest.raises(StocktakeError, match="no such file"):
        load_commentary(tmp_path / "none.yaml", SPEC)
    assert library_commentary(SPEC) == Commentary()


def test_the_librarys_own_sentences_type_no_figure() -> None:
    found = library_commentary(load("cmhs_2017"))
    assert found.summary and found.conclusions
    assert list(typed_figures(found)) == []


def test_areas_and_their_tiles() -> None:
    found = areas()
    assert (len(found), sum(a.ccgs for a in found), sum(a.authorities for a in found)) == (44, 209, 152)
    assert len(set(TILES.values())) == 44
    with pytest.raises(ValueError, match="names wanted"):
        invented_places(10_000)


def test_the_simulated_collection_is_like_the_published_one() -> None:
    """Means and totals come out near those that the pack prints; the specification quotes them."""
    made_of = load("cmhs_2017")
    made = simulate(made_of)
    assert {k: len(made.register.of_kind(k, made_of.census)) for k in ("trust", "ccg", "la", "stp", "region")} == {
        "trust": 56, "ccg": 209, "la": 152, "stp": 44, "region": 4}  # fmt: skip
    assert len(made.taking_part("la")) < 152
    assert made.populations.unbalanced() == []
    given = [(o, i, p, v) for (o, i, p), v in made.answers.items()]
    source = Source(
        made_of, answers_of(made_of, made.register, given, made.services, made.earlier), made.register, made.populations
    )
    blocks = list(source.blocks())
    rows = {(r["indicator"], r["part"], r["kind"]): r for r in summary_rows(blocks, made_of)}
    for code, kind in (
        ("A3", "trust"),
        ("B9", "trust"),
        ("B22", "trust"),
        ("C1", "trust"),
        ("C2", "trust"),
        ("E4", "la"),
        ("E8", "la"),
        ("F2", "ccg"),
    ):
        printed = next(q.value for q in made_of.indicator[code].quoted if q.what == "mean")
        assert rows[code, "", kind]["mean"] == pytest.approx(printed, rel=0.15), code
    national = {(r["indicator"], r["part"]): r for r in national_rows(source, blocks)}
    assert national["C1", ""]["value"] == pytest.approx(2.38e9, rel=0.01)
    england = {(b.indicator.code, b.part): float(b.value[0]) for b in blocks if b.kind == "country"}
    assert england["B7", "generic"] == pytest.approx(323_466, rel=0.01)
    assert england["A1", "all"] == pytest.approx(19_269, rel=0.01)
    assert {f for *_, f in faults(made)} == {"thousands", "text", "unit", "n/a", "error", "factor", "blank", "negative"}
    # Areas whose trusts serve others too have no figure, and 15 have one.
    stp = next(b for b in blocks if b.indicator.code == "A5" and b.kind == "stp")
    assert (~np.isnan(stp.value)).sum() == 15
