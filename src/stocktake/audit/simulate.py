"""A simulated collection: invented organisations on the geography of 44 areas, calibrated to published averages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stocktake.audit.answers import Parts, parts_of
from stocktake.audit.simulated_register import BEFORE_MERGER, COUNTRY, MERGED, simulated_people, simulated_register
from stocktake.audit.specification import Item, Specification
from stocktake.organisations.populations import Populations
from stocktake.organisations.register import Kind, Register

Floats = NDArray[np.float64]

# Share of trusts that have a service; others have it all.
HAVE = {
    "assertive": 0.4, "rehabilitation": 0.6, "assessment": 0.6, "perinatal": 0.6, "eating": 0.7, "forensic": 0.5,
    "other": 0.6, "eating_beds": 0.5, "mother_baby": 0.3, "low_secure": 0.6, "medium_secure": 0.5, "high_secure": 0.06,
    "neuropsychiatry": 0.2, "continuing": 0.4, "high_dependency": 0.6, "other_beds": 0.5,
}  # fmt: skip
# Share of organisations that take part at all, as the pack says of CCGs (179 of 209) and authorities (99 of 152).
TAKE_PART: dict[Kind, float] = {"trust": 1.0, "ccg": 179 / 209, "la": 99 / 152}
# Of those that take part, the share that can answer an item: 31 CCGs knew of locally employed therapists.
ANSWER = {"local_therapists": 31 / 179}
# Published totals of one item by its parts, or of all of it; where the pack prints none the figure is assumed.
TOTALS: dict[str, float] = {
    "beds": 19_269, "admissions": 90_000, "discharges": 89_500, "readmissions": 7_700, "bed_days": 2_500_000,
    "delayed_days": 130_000, "referrals": 1_900_000, "referrals_accepted": 0.82, "caseload": 698_444, "waited": 1_200_000,
    "contacts": 14_000_000, "appointments": 9_000_000, "missed": 0.11, "cost": 2_380_000_000, "staff": 40_216,
    "teams": 2_400, "la_social_workers": 5_000, "la_support": 2_200, "amhp": 3_250, "mha_assessments": 130_000,
    "mha_under_18": 4_100, "mha_over_65": 22_500, "trained": 35_000, "housing_places": 34_000, "smi_register": 490_000,
    "smi_checked": 0.58, "local_therapists": 4_949, "offers": 722, "offers_people": 330_000, "offers_cost": 190_000_000,
    "housing_cost": 650_000_000, "housing_occupied": 0.88, "offers_recurrent": 0.66, "teams_offering": 0.45,
}  # fmt: skip
# Of which whole an item is a part, where it is one: the total above is then the share.
PART_OF = {
    "referrals_accepted": "referrals", "missed": "appointments", "smi_checked": "smi_register",
    "housing_occupied": "housing_places", "offers_recurrent": "offers", "teams_offering": "teams",
    "readmissions": "discharges", "delayed_days": "bed_days", "mha_under_18": "mha_assessments",
    "mha_over_65": "mha_assessments",
}  # fmt: skip
# What there is only where something else is: people and spending only of services that there are.
ONLY_WHERE = {"offers_people": "offers", "offers_cost": "offers"}
# Relative sizes of options, from published parts where there are any; options that are not named have 1.
SIZES: dict[str, dict[str, float]] = {
    "bed": {"adult_acute": 7194, "older_acute": 3840, "picu": 804, "eating_beds": 245, "mother_baby": 117, "low_secure": 1607,
            "medium_secure": 2021, "high_secure": 779, "high_dependency": 1210, "continuing": 807, "neuropsychiatry": 117,
            "other_beds": 528},
    "team": {"generic": 323466, "older": 141937, "memory": 83047, "assertive": 4603, "crisis": 35000, "assessment": 45000,
             "early": 25000, "rehabilitation": 9000, "perinatal": 6000, "eating": 9000, "forensic": 4000, "other": 12391},
    "source": {"gp": 42, "self": 5, "same_cmht": 19, "same_inpatient": 3, "other_source": 31},
    "cluster": {"unclustered": 23, "c1_3": 5, "c4_8": 23, "c10_17": 26, "c18_21": 23},
    "wait": {"under_4": 55, "from_4": 22, "from_11": 13, "over_18": 10},
    "mode": {"face": 76, "distant": 24},
    "gender": {"female": 72, "male": 28},
    "age": {"under_30": 14, "from_30": 21, "from_40": 26, "from_50": 29, "over_60": 10},
    "ethnicity": {"white_british": 79, "other_ethnic": 16, "ethnic_unknown": 5},
    "hours": {"over_4": 76, "up_to_4": 24},
    "origin": {"from_cmht": 28, "from_inpatient": 25, "from_emergency": 12, "from_police": 20, "from_primary": 4, "from_other": 11},
    "housing": {"residential": 56, "flat": 40, "therapeutic": 4},
    "offer": {"counselling": 129, "groups": 125, "wellbeing": 97, "peer": 77, "employment": 74, "housing_support": 69,
              "benefits": 62, "nice_therapies": 58, "crisis_housing": 31},
    "staff_group": {"nurses": 33, "support_staff": 11, "consultants": 4, "other_psychiatry": 4, "psychologists": 6,
                    "therapists": 5, "social_workers": 3, "peer_workers": 1, "other_staff": 10},
    "discipline": {"nursing": 36, "psychiatry": 9, "social_work": 8, "occupational": 8, "support": 14, "admin": 12},
}  # fmt: skip
# Where an item is spread over teams unlike caseload: contacts by contacts a person, staff as the pack says.
TEAM_SIZES: dict[str, dict[str, float]] = {
    "contacts": {"generic": 16 * 323466, "assertive": 62 * 4603, "rehabilitation": 16 * 9000, "assessment": 15 * 45000,
                 "older": 14 * 141937, "crisis": 25 * 35000, "early": 30 * 25000, "perinatal": 16 * 6000,
                 "eating": 19 * 9000, "forensic": 22 * 4000, "memory": 8 * 83047, "other": 27 * 12391},
    "staff": {"generic": 14600, "older": 6324, "crisis": 5557, "memory": 3300, "early": 3000, "assessment": 2600,
              "other": 1500, "assertive": 650, "rehabilitation": 900, "eating": 700, "forensic": 600, "perinatal": 485},
}  # fmt: skip
# How much organisations differ: the standard deviation of the logarithm, so that 56 of them differ about threefold in
# beds, fivefold in caseload and fourfold in contacts, as the pack says.
VARIES = {"beds": 0.24, "caseload": 0.35, "contacts": 0.30, "cost": 0.25, "staff": 0.25, "time_on_caseload": 0.55}
VARIES_ELSE = 0.3
MONTHS = {"generic": 14, "assertive": 52, "rehabilitation": 17, "assessment": 3, "older": 9, "crisis": 1, "early": 13,
          "perinatal": 5, "eating": 10, "forensic": 17, "memory": 11, "other": 9}  # fmt: skip
CHOICES = {"oral": (54, 26, 20), "depot": (34, 20, 46), "restricted": (60, 40), "depot_in_practices": (70, 30),
           "depot_missed": (65, 35), "lithium": (80, 20)}  # fmt: skip


@dataclass(frozen=True)
class Simulation:
    """An invented collection: who there is, how many people, services, answers of this year and figures of others."""

    spec: Specification
    register: Register
    populations: Populations
    services: Mapping[str, Mapping[str, frozenset[str]]]
    answers: Mapping[tuple[str, str, Parts], float]
    earlier: Mapping[tuple[str, str, Parts, int], float]

    def taking_part(self, kind: Kind) -> tuple[str, ...]:
        """Those of a kind that answered anything."""
        return tuple(c for c in self.register.of_kind(kind, self.spec.census) if c in self.of)

    @cached_property
    def of(self) -> dict[str, dict[tuple[str, Parts], float]]:
        """The answers by organisation."""
        out: dict[str, dict[tuple[str, Parts], float]] = {}
        for (code, item, parts), value in self.answers.items():
            out.setdefault(code, {})[item, parts] = value
        return out


def simulate(spec: Specification, seed: int = 2017) -> Simulation:
    """Simulate a collection of the specification `cmhs_2017`: 56 trusts, 209 CCGs and 152 authorities, all invented."""
    rng = np.random.default_rng(seed)
    register, size = simulated_register(rng)
    populations = simulated_people(register, size, rng)
    services: dict[str, dict[str, frozenset[str]]] = {}
    for code in register.of_kind("trust", spec.census):
        services[code] = {
            d: frozenset(o for o in spec.dimension[d].options if rng.random() < HAVE.get(o, 1.0))
            for d in ("team", "bed")
        }
    answers: dict[tuple[str, str, Parts], float] = {}
    earlier: dict[tuple[str, str, Parts, int], float] = {}
    for kind in ("trust", "ccg", "la"):
        _answer(spec, register, size, services, rng, kind, answers)
    before = spec.begins.year - 1
    for (code, item, parts), value in answers.items():
        unit = spec.item[item].unit
        if unit != "category":
            then = value * float(rng.lognormal(0.02, 0.06))
            whole = spec.item[item].whole
            # Months of two trusts are no sum; each had about the same.
            shares = (1.0, 1.0) if unit == "months" else (0.6, 0.4)
            owners = zip(BEFORE_MERGER, shares, strict=True) if code == MERGED else ((code, 1.0),)
            for owner, part in owners:
                earlier[owner, item, parts, before] = round(then * part) if whole else round(then * part, 1)
    earlier |= _national_series(spec)
    return Simulation(spec, register, populations, services, answers, earlier)


def _options(spec: Specification, item: Item) -> Floats:
    """The relative size of each part of an item."""
    return np.array(
        [
            np.prod(
                [
                    (TEAM_SIZES.get(item.code, {}) if d == "team" else {}).get(o) or SIZES.get(d, {}).get(o, 1.0)
                    for d, o in zip(item.by, part, strict=True)
                ]
            )
            for part in parts_of(spec, item)
        ]
    )


def _answer(
    spec: Specification,
    register: Register,
    size: Mapping[str, float],
    services: Mapping[str, Mapping[str, frozenset[str]]],
    rng: np.random.Generator,
    kind: Kind,
    answers: dict[tuple[str, str, Parts], float],
) -> None:
    """The answers of every organisation of a kind that takes part."""
    codes = [c for c in register.of_kind(kind, spec.census) if rng.random() < TAKE_PART[kind]]
    everyone = sum(size[c] for c in register.of_kind(kind, spec.census))
    made: dict[str, Floats] = {}
    # What is a part of something comes after it.
    for item in sorted(spec.asked_of(kind), key=lambda i: i.code in PART_OF):
        parts = parts_of(spec, item)
        there = np.array(
            [
                [all(o in services.get(c, {}).get(d, {o}) for d, o in zip(item.by, p, strict=True)) for p in parts]
                for c in codes
            ]
        )
        scale = np.array([size[c] for c in codes])[:, None] / everyone
        spread = VARIES.get(item.code, VARIES_ELSE)
        noise = rng.lognormal(-(spread**2) / 2, spread, (len(codes), 1))
        noise = noise * rng.lognormal(0, 0.15, (len(codes), len(parts)))
        if item.code in CHOICES:
            picked = rng.choice(len(parts), len(codes), p=np.array(CHOICES[item.code]) / 100)
            values = np.eye(len(parts))[picked]
        elif item.code == "time_on_caseload":
            values = np.clip(np.array([MONTHS[p[0]] for p in parts]) * noise, 0.5, 90).round(1)
        elif item.code == "lead_sessions":
            values = rng.choice([0, 1, 2, 3, 4, 6, 8], (len(codes), 1), p=[0.07, 0.26, 0.3, 0.14, 0.11, 0.08, 0.04])
        elif (whole := _whole(spec, item, made)) is not None:
            values = whole * np.clip(TOTALS.get(item.code, 0.5) * noise, 0.02, 1.0)
            if item.code in ("readmissions", "delayed_days", "mha_under_18", "mha_over_65"):
                values = whole * np.clip(TOTALS[item.code] / TOTALS[PART_OF[item.code]] * noise, 0.005, 0.45)
        elif item.code == "caseload_cluster":
            values = _split(made["caseload"].sum(1, keepdims=True), _options(spec, item) * noise)
        elif item.code.startswith("staff_") and item.code != "staff_community":
            # Profiles are of nine in ten of the staff; disciplines are of all.
            share = 1.0 if item.code == "staff_discipline" else 0.905
            first = made["staff"]
            inner = len(parts) // first.shape[1]
            weights = (_options(spec, item) * noise).reshape(len(codes), first.shape[1], inner)
            values = (first[:, :, None] * share * weights / weights.sum(2, keepdims=True)).reshape(len(codes), -1)
        elif item.code == "staff_community":
            values = _split(made["staff"].sum(1, keepdims=True) * 0.86, _options(spec, item) * noise)
        else:
            values = _total(spec, item) * scale * noise * _options(spec, item) / _options(spec, item).sum()
            values = values * there
            if item.code in ONLY_WHERE:
                values = values * made[ONLY_WHERE[item.code]]
            # All together the published figure of each part, for those who take part.
            wanted = _total(spec, item) * scale.sum() * _options(spec, item) / _options(spec, item).sum()
            values *= wanted / np.maximum(values.sum(0), 1e-9)
            if item.code == "offers":
                # Nearly every part is less than one: rounded to the nearest there would be none.
                values = np.floor(values + np.random.default_rng(values.size).random(values.shape))
        values = np.where(there, np.round(values) if item.whole else np.round(values, 1), 0.0)
        made[item.code] = values
        for i, code in enumerate(codes):
            if rng.random() >= ANSWER.get(item.code, 1.0):
                continue
            for j, part in enumerate(parts):
                if there[i, j]:
                    answers[code, item.code, part] = float(values[i, j])
    _keep_rules(spec, answers, kind, codes)


def _total(spec: Specification, item: Item) -> float:
    return TOTALS.get(item.code, 1000.0)


def _whole(spec: Specification, item: Item, made: Mapping[str, Floats]) -> Floats | None:
    """What an item is a part of, in the item's own parts; None where it is a part of nothing."""
    if item.code not in PART_OF:
        return None
    outer = spec.item[PART_OF[item.code]]
    values = made[outer.code]
    if outer.by == item.by:
        return values
    if not item.by:
        return values.sum(1, keepdims=True)
    first = len(spec.dimension[item.by[0]].options)
    summed = values.reshape(values.shape[0], first, -1).sum(2)
    inner = len(parts_of(spec, item)) // first
    return np.repeat(summed, inner, axis=1)


def _split(total: Floats, weights: Floats) -> Floats:
    """Whole numbers in proportion to weights that sum to the total of each row."""
    shares = weights / weights.sum(1, keepdims=True)
    cut = np.floor(np.cumsum(shares, axis=1) * total + 1e-9)
    cut[:, -1] = total[:, 0]
    return np.diff(np.concatenate([np.zeros((total.shape[0], 1)), cut], axis=1), axis=1)


def _keep_rules(
    spec: Specification, answers: dict[tuple[str, str, Parts], float], kind: Kind, codes: list[str]
) -> None:
    """Rounding must not break the rules of the returns: the whole is made the sum of its rounded parts."""
    if kind != "trust":
        return
    for code in codes:
        for (team,) in parts_of(spec, spec.item["staff"]):
            own = [
                answers[code, "staff_discipline", (team, d)]
                for d in spec.dimension["discipline"].options
                if (code, "staff_discipline", (team, d)) in answers
            ]
            if own:
                answers[code, "staff", (team,)] = round(sum(own), 1)


def _national_series(spec: Specification) -> dict[tuple[str, str, Parts, int], float]:
    """Figures of earlier collections, as the pack prints them or so that its printed rates follow."""
    out: dict[tuple[str, str, Parts, int], float] = {}
    for year, people in zip((2013, 2014, 2015, 2016), (709_000, 816_000, 904_000, 965_172), strict=True):
        out[COUNTRY, "iapt_started", (), year] = people
    shares = {
        "c1_3": (11, 8, 6, 6, 6),
        "c4_8": (23, 26, 28, 30, 32),
        "c10_17": (33, 34, 35, 32, 33),
        "c18_21": (33, 32, 31, 32, 29),
    }
    clustered = (660_000, 645_000, 621_000, 575_000, 537_802)
    for i, year in enumerate(range(2012, 2017)):
        for cluster, row in shares.items():
            out[COUNTRY, "caseload_cluster_series", (cluster,), year] = float(round(clustered[i] * row[i] / 100))
        out[COUNTRY, "caseload_cluster_series", ("unclustered",), year] = 0.0
    for i, year in enumerate(range(2013, 2018)):
        out[COUNTRY, "caseload_series", (), year] = float(round((2080, 1950, 1790, 1660, 1555)[i] * 449.16))
        out[COUNTRY, "contacts_series", (), year] = float(round((38900, 37100, 35200, 33700, 32252)[i] * 449.16))
    for i, year in enumerate(range(2012, 2017)):
        out[COUNTRY, "cost_series", (), year] = (2.80e9, 2.70e9, 2.58e9, 2.47e9, 2.38e9)[i]
    for year, share in zip((2017, 2018, 2019), (58, 70, 83), strict=True):
        out[COUNTRY, "smi_register", (), year] = 490_000.0
        out[COUNTRY, "smi_checked", (), year] = 4_900.0 * share
    return out


def faults(simulation: Simulation, seed: int = 2017) -> Iterator[tuple[str, tuple[str, Parts], Any, str]]:
    """Faults that real returns have: organisation, item and parts, what stands in the cell instead, and which fault it is."""
    rng = np.random.default_rng(seed)
    kinds = ("thousands", "text", "unit", "n/a", "error", "factor", "blank", "negative")
    codes = simulation.taking_part("trust")
    cells = {c: [k for k, v in simulation.of[c].items() if v >= 10] for c in codes[:16]}
    for i, code in enumerate(codes[:16]):
        fault = kinds[i % len(kinds)]
        item, parts = cells[code][int(rng.integers(len(cells[code])))]
        value = simulation.answers[code, item, parts]
        wrong: dict[str, Any] = {
            "thousands": f"{value:,.0f}", "text": "see comment", "unit": f"{value:,.0f} (approx.)", "n/a": "n/a",
            "error": "#REF!", "factor": value * 1000, "blank": None, "negative": -value,
        }  # fmt: skip
        yield code, (item, parts), wrong[fault], fault
