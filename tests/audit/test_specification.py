"""The specification of a collection: every display of the pack, and every rule between entries."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from stocktake.audit.specification import Specification, library, load, parse, reference
from stocktake.organisations.populations import Key
from stocktake.problems import StocktakeError

# The catalogue of the pack: how many displays each chapter has, and of which kind.
CHAPTERS = {"context": 9, "size": 24, "finance": 6, "workforce": 12, "social": 8, "primary": 12, "voluntary": 10}
CHARTS, TABLES, MAPS = 60, 12, 9
CATALOGUE = Path(__file__).parents[3] / "shared" / "audit_catalogue.md"


@pytest.fixture(scope="module")
def spec() -> Specification:
    return load("cmhs_2017")


def test_every_display_of_the_pack_has_its_indicator(spec: Specification) -> None:
    assert len(spec.displays) == 81 == sum(CHAPTERS.values())
    assert Counter(i.chapter for i in spec.displays) == CHAPTERS
    kinds = Counter("map" if i.chart == "map" else "table" if "table" in i.chart else "chart" for i in spec.displays)
    assert kinds == {"chart": CHARTS, "table": TABLES, "map": MAPS}


def test_the_displays_are_those_of_the_catalogue(spec: Specification) -> None:
    if not CATALOGUE.is_file():
        pytest.skip("needs the catalogue of the pack in ../shared, which is not part of the project")
    text = CATALOGUE.read_text("utf-8").split("## A.2", 1)[1].split("### Counts", 1)[0]
    listed: list[str] = []
    for first, rest in re.findall(r"^\| ([A-G]\d+)((?:[–,] ?[A-G]\d+)*) \|", text, re.MULTILINE):
        listed.append(first)
        for mark, code in re.findall(r"([–,]) ?([A-G]\d+)", rest):
            begin = int(listed[-1][1:]) + 1 if mark == "–" else int(code[1:])
            listed += [f"{code[0]}{n}" for n in range(begin, int(code[1:]) + 1)]
    assert sorted(listed) == sorted(i.code for i in spec.displays)


def test_tables_of_several_figures(spec: Specification) -> None:
    """Cost has five measures, supported housing four and voluntary services four, as the catalogue has them."""
    several = {d.code: [c.unit for c in spec.columns[d.code]] for d in spec.displays if len(spec.columns[d.code]) > 1}
    assert several == {
        "C4": ["£", "£ per 100,000", "£ per 100,000", "£ a person", "£ a contact"],
        "F6": ["places per 100,000", "% of places", "£ per 100,000", "£ a place"],
        "G1": ["services", "people", "£", "£ a person"],
    }
    ages = spec.indicator["C4a"]
    assert [spec.population[ages.population_of(p)].ages for p in ("older", "memory", "generic")] == [
        "65+",
        "65+",
        "16-64",
    ]


def test_pairs_of_registered_and_weighted(spec: Specification) -> None:
    pairs = {i.code: i.twin for i in spec.indicators if i.twin}
    assert pairs == {
        "A3": "A4", "A4": "A3", "B2": "B3", "B3": "B2", "B9": "B10", "B10": "B9", "B20": "B21", "B21": "B20", "C2": "C3",
        "C3": "C2", "D2": "D3", "D3": "D2",
    }  # fmt: skip
    for one, other in pairs.items():
        a, b = spec.indicator[one], spec.indicator[other]
        assert a.numerator == b.numerator
        kinds = {spec.population[i.population].kind for i in (a, b)}
        assert kinds == {"registered", "weighted"}
        assert spec.population[a.population].ages == spec.population[b.population].ages


def test_what_is_highlighted(spec: Specification) -> None:
    """Of trusts the reader's region, of local authorities and CCGs those of the reader's own area."""
    wanted = {"trust": "own region", "la": "own area", "ccg": "own area"}
    ranked = [i for i in spec.indicators if i.chart == "ranked bars"]
    assert len(ranked) == 26
    assert all(i.highlight == wanted[i.of] for i in ranked)
    assert Counter(i.of for i in ranked) == {"trust": 16, "la": 6, "ccg": 4}


def test_chance_moves_events_and_not_amounts(spec: Specification) -> None:
    found = {code: spec.is_event(spec.indicator[code]) for code in ("B2", "B24", "A3", "C2", "D2", "B11", "B1", "E7")}
    assert found == {
        "B2": True, "B24": True, "A3": False, "C2": False, "D2": False, "B11": False, "B1": False, "E7": True,
    }  # fmt: skip


def test_who_is_asked_what(spec: Specification) -> None:
    both = {i.code for i in spec.asked_of("la")}
    assert {i.code for t in ("", "workforce", "process") for i in spec.asked_of("la", t)} == both
    assert {i.code for i in spec.asked_of("la", "")} == {"amhp"}
    assert {"beds", "referrals", "staff"} <= {i.code for i in spec.asked_of("trust")}
    # Every item that is asked is shown somewhere.
    used = {reference(t).item for i in spec.indicators for t in (*i.numerator, *i.denominator)}
    used |= {reference(t).item for r in spec.rules for t in (*r.left, *r.right)}
    assert {i.code for i in spec.items} - used == set()
    assert spec.population["over_65"].key == Key("registered", "65+", 2016)
    assert spec.dimension["team"].also["Mother and Baby"] == "perinatal"


SMALL: dict[str, Any] = {
    "code": "small",
    "title": "A small collection",
    "begins": "2016-04-01",
    "census": "2017-03-31",
    "templates": {"one": "One"},
    "chapters": {"all": "All"},
    "dimensions": [{"code": "team", "title": "Team", "options": {"day": "Day", "night": "Night"}, "also": {"Days": "day"}}],
    "items": [
        {"code": "seen", "name": "Seen", "definition": "Seen", "unit": "people", "of": ["trust"], "by": ["team"]},
        {"code": "asked", "name": "Asked", "definition": "Asked", "unit": "people", "of": ["trust"], "template": "one"},
    ],
    "rules": [{"code": "within", "left": ["seen"], "relation": "<=", "right": ["asked"], "says": "No more than asked."}],
    "populations": [{"code": "adults", "title": "Adults", "kind": "registered", "ages": "16+", "year": 2016}],
    "indicators": [
        {"code": "A1", "title": "Seen", "chapter": "all", "of": "trust", "form": "share", "numerator": ["seen.day"],
         "denominator": ["asked"], "unit": "%", "chart": "ranked bars"},
        {"code": "A2", "title": "Rate", "chapter": "all", "of": "trust", "form": "rate", "numerator": ["seen"],
         "population": "adults", "unit": "people", "chart": "ranked bars", "by": ["team"]},
        {"code": "A3", "title": "Years", "chapter": "all", "of": "country", "form": "total", "numerator": ["asked"],
         "years": [2015, 2016], "breaks": [2016], "unit": "people", "chart": "series"},
    ],
}  # fmt: skip


def changed(path: str, value: Any) -> str:
    """The small specification with one place changed; as YAML."""
    data = yaml.safe_load(yaml.safe_dump(SMALL))
    *steps, last = [int(p) if p.isdigit() else p for p in path.split("/")]
    at = data
    for step in steps:
        at = at[step]
    at[last] = value
    return yaml.safe_dump(data, sort_keys=False)


def test_the_small_one_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL, sort_keys=False))
    assert load(path).title == "A small collection"
    assert library() == ("cmhs_2017",)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("items/0/by", ["tema"], "items.0.by: no dimension 'tema'. Did you mean 'team'?"),
        ("items/1/template", "two", "items.1.template: no template 'two'."),
        ("items/0/highest", -1, "items.0.highest: -1 is below the lowest value, 0."),
        ("items/0/code", "Seen", "items.0.code: found 'Seen'; expected a small letter"),
        ("items/1/code", "seen", "items.1.code: 'seen' appears twice."),
        ("dimensions/0/options", {"Day!": "Day", "night": "N"}, "dimensions.0.options.Day!: found 'Day!'"),
        ("dimensions/0/also", {"Days": "dya"}, "dimensions.0.also.Days: no option 'dya'. Did you mean 'day'?"),
        ("rules/0/left", ["sene"], "rules.0.left: no item 'sene'. Did you mean 'seen'?"),
        ("rules/0/right", ["asked.day"], "rules.0.right: 'asked' has no option 'day'."),
        ("rules/0/code", "W", "rules.0.code: found 'W'"),
        ("populations/0/code", "16+", "populations.0.code: found '16+'"),
        ("indicators/0/code", "a1", "indicators.0.code: found 'a1'; expected a capital letter and a number,"),
        ("indicators/0/chapter", "al", "indicators.0.chapter: no chapter 'al'. Did you mean 'all'?"),
        ("indicators/0/numerator", ["seen.dya"], "indicators.0.numerator: 'seen' has no option 'dya'. Did you mean 'day'?"),
        ("indicators/0/denominator", [], "indicators.0.denominator: a share has no denominator; expected one."),
        ("indicators/0/population", "adults", "indicators.0.population: a share has a population; expected none."),
        ("indicators/1/population", "adluts", "indicators.1.population: no population 'adluts'. Did you mean 'adults'?"),
        ("indicators/1/by", ["teams"], "indicators.1.by: no dimension 'teams'. Did you mean 'team'?"),
        ("indicators/1/quoted", [{"what": "value", "value": 1, "part": "dusk"}], "indicators.1.quoted: no option 'dusk' of its dimensions."),
        ("indicators/2/quoted", [{"what": "value", "value": 1, "year": 2014}], "indicators.2.quoted: 2014 is not one of its years."),
        ("indicators/2/years", [2016, 2015], "indicators.2.years: expected years in order, each once."),
        ("indicators/2/breaks", [2015], "indicators.2.breaks: 2015: expected one of its years after the first."),
        ("indicators/2/chart", "bars", "indicators.2.chart: expected a series where there are several years"),
        ("indicators/0/chart", "series", "indicators.0.chart: expected a series where there are several years"),
        ("indicators/0/twin", "A2", "indicators.0.twin: 'A2' is not an indicator whose twin is 'A1'."),
        ("indicators/0/twin", "A9", "indicators.0.twin: 'A9' is not an indicator whose twin is 'A1'."),
        ("indicators/1/column_of", "A9", "indicators.1.column_of: no display 'A9'."),
        ("indicators/1/column_of", "A1", "indicators.1.column_of: A1 is not a table of the country by the same one dimension."),
        ("indicators/1/column_of", "A1", "indicators.1.heading: a table of several figures needs a heading for each of them."),
        ("indicators/0/populations", {"day": "adults"}, "indicators.0.populations: expected a population as well"),
        ("indicators/1/populations", {"dya": "adults"}, "indicators.1.populations: no option 'dya' of its dimensions. Did you mean 'day'?"),
        ("indicators/1/populations", {"day": "adluts"}, "indicators.1.populations: no population 'adluts'. Did you mean 'adults'?"),
        ("indicators/0/colour", "red", "indicators.0.colour: this field is not known here."),
        ("census", "yesterday", "census:"),
        ("items/1/of", ["ccg"], "indicators.0.numerator: its items are asked of ccg, trust; expected one kind of organisation."),
        ("items/0/of", ["country"], "indicators.1.years: figures of the country are of earlier collections"),
    ],
)  # fmt: skip
def test_mistakes(path: str, value: Any, expected: str) -> None:
    with pytest.raises(StocktakeError) as error:
        parse(changed(path, value), "small.yaml")
    assert any(expected in p and p.startswith("small.yaml, line ") for p in error.value.problems), error.value.problems


def test_a_wrong_dimension_is_said_once() -> None:
    """What names a part of an item whose dimension is not known says nothing of its own."""
    with pytest.raises(StocktakeError) as error:
        parse(changed("items/0/by", ["tema"]), "small.yaml")
    assert len(error.value.problems) == 1


def test_every_mistake_at_once() -> None:
    data = yaml.safe_load(changed("items/0/by", ["tema"]))
    data["indicators"][1]["population"] = "x"
    data["rules"][0]["left"] = ["y"]
    with pytest.raises(StocktakeError) as error:
        parse(yaml.safe_dump(data), "small.yaml")
    assert len(error.value.problems) == 3


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(StocktakeError, match=r"the library has cmhs_2017\. Did you mean"):
        load("cmhs_2018")
    with pytest.raises(StocktakeError, match="expected a mapping"):
        parse("- a\n", "list.yaml")
    with pytest.raises(StocktakeError, match="no such specification"):
        load(tmp_path / "none.yaml")
