"""Who there is in the simulated collection: invented organisations in the areas of 2017, and how many people they serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from stocktake.audit.areas import areas
from stocktake.organisations.invented import invented_places
from stocktake.organisations.populations import Key, Populations
from stocktake.organisations.register import Body, Membership, Register

COUNTRY = "ENG"
# The areas that each trust serves, by number: one trust in most, and some across two or three.
TRUST_AREAS = (
    "10 11|10|17|16|16|18|19|19 43|12|9 14|15|13|20|21|22 23|25|23 26|25 26|24 29|29|28|28|28|24 27 28|27|31|30 31|30|"
    "33 34 35|33 34|32|34 42|42|42|34 44|44|39 40|38|37|36|41|1|3 5 6|2 4|4|4 8|8|8|7|7|5 9|5|5|9|6 9|6"
)
# The regions were four at the census, five from April 2018 and seven from April 2019.
REGION_DAYS: tuple[tuple[date | None, date | None], ...] = (
    (None, date(2018, 3, 31)),
    (date(2018, 4, 1), date(2019, 3, 31)),
    (date(2019, 4, 1), None),
)
# One trust was formed of two at the beginning of the year, which have the figures of the year before.
MERGED, BEFORE_MERGER, MERGER = "Z56", ("Z57", "Z58"), date(2016, 4, 1)
# One CCG of area 2 reaches into area 4.
SPANNING_CCG = ("2", "4")
# Shares of registered people by age, nearly those of England in 2016.
AGES = {"0-17": 0.205, "16-64": 0.648}


def simulated_register(rng: np.random.Generator) -> tuple[Register, dict[str, float]]:
    """The register, and how many people each organisation serves."""
    bodies = [Body(COUNTRY, "England", "country")]
    links: list[Membership] = []
    size: dict[str, float] = {}
    places = invented_places(425 + len(BEFORE_MERGER))
    found = areas()
    codes = _regions(bodies, links)
    for a in found:
        bodies.append(Body(f"STP{a.number}", f"{a.number} - {a.name}", "stp"))
        for names, (begins, ends) in zip((a.region, a.region_2018, a.region_2019), REGION_DAYS, strict=True):
            links.append(Membership(f"STP{a.number}", codes[names], begins, ends))
        size[f"STP{a.number}"] = a.people
    number = 0
    for kind, letter, words, field in (("ccg", "C", "CCG", "ccgs"), ("la", "L", "Council", "authorities")):
        serial = 0
        for a in found:
            shares = rng.dirichlet([6.0] * getattr(a, field))
            for share in shares:
                serial, number = serial + 1, number + 1
                code = f"{letter}{serial:03d}"
                bodies.append(Body(code, f"{places[number]} {words}", kind))  # type: ignore[arg-type]
                links.append(Membership(code, f"STP{a.number}"))
                size[code] = float(np.round(a.people * share, -2))
                if kind == "ccg" and a.number == SPANNING_CCG[0]:
                    links.append(Membership(code, f"STP{SPANNING_CCG[1]}"))
    served = [n.split() for n in TRUST_AREAS.split("|")]
    many = {a.number: sum(a.number in s for s in served) for a in found}
    by_number = {a.number: a for a in found}
    kinds = ("Partnership NHS Trust", "Mental Health NHS Trust", "Community NHS Trust", "Care NHS Trust")
    for i, numbers in enumerate(served, start=1):
        code, number = f"Z{i:02d}", number + 1
        bodies.append(Body(code, f"{places[number]} {kinds[i % 4]}", "trust"))
        links += [Membership(code, f"STP{n}") for n in numbers]
        # Trusts are of their own region at the census; later ones are of other collections.
        links.append(Membership(code, codes[by_number[numbers[-1]].region], None, REGION_DAYS[0][1]))
        size[code] = float(np.round(sum(by_number[n].people / many[n] for n in numbers), -2))
    for i, code in enumerate(BEFORE_MERGER):
        bodies.append(Body(code, f"{places[425 + i]} {kinds[i]}", "trust", None, MERGER - timedelta(days=1), MERGED))
    bodies = [replace(b, begins=MERGER) if b.code == MERGED else b for b in bodies]
    return Register({b.code: b for b in bodies}, tuple(links)), size


def _regions(bodies: list[Body], links: list[Membership]) -> dict[str, str]:
    """Add the four regions of 2017, and those that became of them: five in 2018 and seven in 2019; codes by name."""
    spans: dict[str, list[tuple[date | None, date | None]]] = {}
    for a in areas():
        for name, days in zip((a.region, a.region_2018, a.region_2019), REGION_DAYS, strict=True):
            spans.setdefault(name, []).append(days)
    order = sorted(spans, key=lambda name: min(REGION_DAYS.index(d) for d in spans[name]))
    codes = {name: f"R{i}" for i, name in enumerate(order, start=1)}
    for name in order:
        first, last = (f(spans[name], key=REGION_DAYS.index) for f in (min, max))
        bodies.append(Body(codes[name], name, "region", first[0], last[1]))
        links.append(Membership(codes[name], COUNTRY, first[0], last[1]))
    return codes


def simulated_people(register: Register, size: Mapping[str, float], rng: np.random.Generator) -> Populations:
    """Registered people by age and, for trusts, CCGs and areas, the same weighted for need."""
    people: dict[tuple[str, Key], float] = {}
    older = {f"STP{a.number}": a.over_65 / a.people for a in areas()}
    for kind in ("ccg", "la", "trust"):
        codes = [c for c, b in register.bodies.items() if b.kind == kind and c in size]
        need = rng.lognormal(0, 0.18, len(codes))
        for i, code in enumerate(codes):
            own = [m.parent for m in register.memberships if m.child == code and m.parent in older]
            over = float(np.mean([older[a] for a in own]))
            for ages, share in (("all", 1.0), ("65+", over), ("16-64", 0.82 - over), ("16+", 0.82), ("0-17", 0.205)):
                people[code, Key("registered", ages, 2016)] = float(round(size[code] * share))
            people[code, Key("weighted", "all", 2016)] = size[code] * need[i]
        for ages in ("16+", "16-64"):
            key = Key("registered", ages, 2016)
            raw = np.array([people[c, key] for c in codes]) * need
            # Need shares people out and makes none.
            weighted = raw * sum(people[c, key] for c in codes) / raw.sum()
            people |= {(c, Key("weighted", ages, 2016)): float(round(w)) for c, w in zip(codes, weighted, strict=True)}
        for code in codes:
            del people[code, Key("weighted", "all", 2016)]
    for year in range(2012, 2018):
        people[COUNTRY, Key("registered", "16+", year)] = float(round(47_184_000 * 1.007 ** (year - 2016)))
    return Populations(people)
