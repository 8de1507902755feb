"""A small collection for tests: three trusts, two CCGs and an authority in two areas of one region."""

from __future__ import annotations

from pathlib import Path

from stocktake.audit.specification import Specification, parse
from stocktake.organisations.populations import Key, Populations
from stocktake.organisations.register import Body, Membership, Register

SPEC = """
code: small
title: A small audit
programme: A programme
begins: 2016-04-01
census: 2017-03-31
templates: {one: First, two: Second}
chapters: {only: Everything}
dimensions:
  - {code: team, title: Team type, options: {generic: Generic team, crisis: Crisis team}, also: {"CRHT": crisis}}
  - {code: source, title: Source, options: {gp: Practices, other: Others}}
  - {code: answer, title: Answer, options: {yes_: "Yes", no_: "No"}}
populations:
  - {code: adults, title: Adults, kind: registered, ages: 16+, year: 2016}
  - {code: all_people, title: Everyone, kind: registered, ages: all, year: 2016}
items:
  - {code: beds, name: Beds, definition: Beds open, unit: beds, of: [trust], basis: census, whole: true}
  - {code: referrals, name: Referrals, definition: Received, unit: referrals, of: [trust], by: [team, source], whole: true}
  - {code: accepted, name: Accepted, definition: Of those, unit: referrals, of: [trust], by: [team], whole: true}
  - {code: months, name: Months, definition: Mean months, unit: months, of: [trust], by: [team], highest: 100}
  - {code: spaces, name: Spaces, definition: Spaces open, unit: places, of: [ccg], basis: census, whole: true}
  - {code: shared, name: Shared care, definition: An agreement, unit: category, of: [ccg], by: [answer], highest: 1, whole: true}
  - {code: workers, name: Workers, definition: Workers in post, unit: WTE, of: [la], basis: census, template: one}
  - {code: hours, name: Hours, definition: Asked in both, unit: WTE, of: [la]}
  - {code: calls, name: Calls, definition: Calls taken, unit: contacts, of: [la], template: two, whole: true}
  - {code: past, name: Past, definition: Earlier years, unit: people, of: [country], basis: earlier, by: [team]}
rules:
  - {code: within, left: [accepted], relation: "<=", right: [referrals], says: No more are accepted than received.}
  - {code: same, left: [workers], relation: "=", right: [hours], says: Workers are hours.}
indicators:
  - {code: A1, title: Beds, chapter: only, of: trust, form: total, numerator: [beds], unit: beds, chart: ranked bars, highlight: own region}
  - {code: A2, title: "Referrals per 100,000", chapter: only, of: trust, form: rate, numerator: [referrals], population: adults, per: 100000, unit: "referrals per 100,000", chart: ranked bars, highlight: own region}
  - {code: A3, title: Map, chapter: only, of: stp, form: rate, numerator: [referrals], population: adults, per: 100000, unit: "referrals per 100,000", chart: map}
  - {code: A4, title: Accepted, chapter: only, of: trust, form: share, numerator: [accepted.generic], denominator: [referrals.generic], unit: "% of referrals", polarity: higher better, chart: ranked bars, highlight: own region}
  - {code: A5, title: Source, chapter: only, of: country, form: share, numerator: [referrals], denominator: [referrals], by: [source, team], unit: "% of referrals", chart: table}
  - {code: A6, title: Months, chapter: only, of: country, form: mean, numerator: [months], by: [team], unit: months, chart: table}
  - {code: A7, title: Shared care, chapter: only, of: country, form: share, numerator: [shared], denominator: [shared], by: [answer], unit: "% of CCGs", chart: shares}
  - {code: A8, title: Workers, chapter: only, of: la, form: rate, numerator: [workers], population: all_people, per: 100000, unit: "WTE per 100,000", decimals: 1, chart: ranked bars, highlight: own area}
  - {code: A9, title: Past, chapter: only, of: country, form: rate, numerator: [past], population: adults, per: 100000, by: [team], years: [2015, 2016], breaks: [2016], unit: "people per 100,000", chart: series}
  - {code: B1, title: Past shares, chapter: only, of: country, form: share, numerator: [past], denominator: [past], by: [team], years: [2015, 2016], unit: "% of people", chart: series}
  - {code: B2, title: Beds over months, chapter: only, of: trust, form: ratio, numerator: [beds], denominator: [months.crisis], unit: beds, chart: ranked bars}
  - {code: B4, title: By team, chapter: only, of: country, form: share, numerator: [referrals], denominator: [referrals], by: [team], unit: "% of referrals", chart: shares}
  - {code: B3, title: Spaces, chapter: only, of: ccg, form: median, numerator: [spaces], unit: spaces, chart: ranked bars, highlight: own area}
"""


def spec() -> Specification:
    return parse(SPEC, "small.yaml")


def register() -> Register:
    bodies = [
        Body("ENG", "England", "country"),
        Body("R1", "The Region", "region"),
        Body("S1", "First area", "stp"),
        Body("S2", "Second area", "stp"),
        Body("S3", "Third area", "stp"),
        Body("T1", "First Trust", "trust"),
        Body("T2", "Second Trust", "trust"),
        Body("T3", "Third Trust", "trust"),
        Body("C1", "First CCG", "ccg"),
        Body("C2", "Second CCG", "ccg"),
        Body("L1", "First Council", "la"),
    ]
    links = [
        *((a, "R1") for a in ("S1", "S2", "S3")),
        ("R1", "ENG"),
        ("T1", "S1"),
        ("T2", "S1"),
        ("T3", "S2"),
        ("T3", "S3"),
        ("T3", "R1"),
        ("C1", "S1"),
        ("C2", "S2"),
        ("L1", "S1"),
    ]
    return Register({b.code: b for b in bodies}, tuple(Membership(*pair) for pair in links))


PEOPLE = {"T1": 100_000.0, "T2": 300_000.0, "T3": 0.0, "C1": 400_000.0, "C2": 200_000.0, "L1": 500_000.0}


def populations() -> Populations:
    people = {(c, Key("registered", "16+", 2016)): n for c, n in PEOPLE.items() if c != "L1"}
    people |= {(c, Key("registered", "all", 2016)): n for c, n in PEOPLE.items()}
    people["ENG", Key("registered", "16+", 2015)] = 1_000_000.0
    return Populations(people)


def folder(path: Path, **more: str) -> Path:
    """The collection as a folder."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "small.yaml").write_text(SPEC, "utf-8")
    settings = {"specification": "small.yaml", "secret": "eight letters"} | more
    (path / "audit.yaml").write_text("".join(f"{k}: {v}\n" for k, v in settings.items()), "utf-8")
    r = register()
    rows = "".join(f"{b.code},{b.name},{b.kind}\n" for b in r.bodies.values())
    (path / "organisations.csv").write_text("code,name,kind\n" + rows, "utf-8")
    (path / "memberships.csv").write_text(
        "child,parent\n" + "".join(f"{m.child},{m.parent}\n" for m in r.memberships), "utf-8"
    )
    people = "".join(f"{c},{k.kind},{k.ages},{k.year},{n}\n" for (c, k), n in populations().people.items())
    (path / "populations.csv").write_text("code,kind,ages,year,people\n" + people, "utf-8")
    return path
