"""Contradictions between printed figures: each rule asks whether any figures that round to those printed fulfil a relation."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from stocktake.audit.claims import Claim, Claims
from stocktake.audit.printed import Printed, exact

HUNDRED = exact(100.0)


@dataclass(frozen=True)
class Contradiction:
    """Claims that cannot all be true: the rule that they break, their names, and a sentence that says how."""

    rule: str
    claims: tuple[str, ...]
    sentence: str


Rule = Callable[[Claims], Iterator[Contradiction]]


def lint(claims: Claims) -> list[Contradiction]:
    """Every contradiction, by rule and in the order of the claims; none twice."""
    found: dict[Contradiction, None] = {}
    for rule in RULES:
        found.update(dict.fromkeys(rule(claims)))
    return list(found)


def _show(figure: Printed) -> str:
    def brief(value: float) -> str:
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"

    if math.isinf(figure.high):
        return f"{brief(figure.low)} or more"
    return f"{brief(figure.low)} to {brief(figure.high)}"


def _where(claims: Sequence[Claim]) -> str:
    return " and ".join(dict.fromkeys(c.where for c in claims))


def same_figure(claims: Claims) -> Iterator[Contradiction]:
    """One and the same figure, printed twice, must be one figure."""
    for group in claims.grouped(lambda c: c.figure_key if c.figure else None):
        for one, other in combinations(group, 2):
            if not one.printed.meets(other.printed):
                yield Contradiction(
                    "same figure",
                    (one.id, other.id),
                    f"{_where((one, other))}: {one.name} is {one.figure} and {other.figure}.",
                )


def shares_of_a_whole(claims: Claims) -> Iterator[Contradiction]:
    """The parts of a whole, in per cent, sum to 100 if they are all of it, and to no more if they are some."""
    for group in claims.grouped(lambda c: c.whole_key if c.stat == "share" else None):
        group = _once(group)
        if len(group) < 2:
            continue
        total = _sum([c.printed for c in group])
        complete = all(c.complete for c in group)
        if total.low > 100 or (complete and not total.meets(HUNDRED)):
            names = ", ".join(c.figure for c in group)
            yield Contradiction(
                "parts of a whole",
                tuple(c.id for c in group),
                f"{_where(group)}: the parts {names} sum to {_show(total)}%, {'not' if complete else 'more than'} 100%.",
            )


def totals_of_parts(claims: Claims) -> Iterator[Contradiction]:
    """Numbers of all parts sum to the number of the whole, and some of them to no more; so do means, of the same organisations."""
    for stat in ("total", "mean", "rate"):
        for group in claims.grouped(lambda c, stat=stat: c.whole_key if c.stat == stat else None):  # type: ignore[misc]
            group = _once(group)
            for whole in claims.of(stat, group[0]):
                if whole.part or whole.per != group[0].per:
                    continue
                total = _sum([c.printed for c in group])
                complete = all(c.complete for c in group)
                if total.low > whole.printed.high or (complete and not total.meets(whole.printed)):
                    yield Contradiction(
                        "parts of a whole",
                        (*(c.id for c in group), whole.id),
                        f"{_where((*group, whole))}: the parts of {whole.name} sum to {_show(total)}; the whole is printed as {whole.figure}.",
                    )


def ratios(claims: Claims) -> Iterator[Contradiction]:
    """A ratio that names its numerator and denominator is one over the other."""
    for claim in claims.claims:
        if claim.over:
            above, below = (claims.by_id[i] for i in claim.over)
            implied = above.printed.over(below.printed)
            yield from _unlike(
                "ratio", claim, above, "over", below, implied.times(HUNDRED) if claim.stat == "share" else implied
            )


def products(claims: Claims) -> Iterator[Contradiction]:
    """A figure that names its two factors is their product."""
    for claim in claims.claims:
        if claim.times:
            one, other = (claims.by_id[i] for i in claim.times)
            yield from _unlike("product", claim, one, "times", other, one.printed.times(other.printed))


def _unlike(rule: str, claim: Claim, one: Claim, word: str, other: Claim, implied: Printed) -> Iterator[Contradiction]:
    """A contradiction if a figure is not what two others make."""
    if not implied.meets(claim.printed):
        yield Contradiction(
            rule,
            (claim.id, one.id, other.id),
            f"{_where((claim, one, other))}: {one.figure} {word} {other.figure} is {_show(implied)}; {claim.name} is printed as {claim.figure}.",
        )


def totals_of_means(claims: Claims) -> Iterator[Contradiction]:
    """A mean times the number of organisations is their total."""
    for mean in claims.claims:
        if mean.stat != "mean" or mean.organisations is None or mean.per != 1:
            continue
        implied = mean.printed.times(exact(mean.organisations))
        total = claims.total(mean)
        if total is not None and not implied.meets(total.printed):
            count = total.printed.over(mean.printed)
            yield Contradiction(
                "n x mean",
                (mean.id, total.id),
                f"{_where((mean, total))}: a mean of {mean.figure} over {mean.organisations} organisations makes {_show(implied)}; {total.figure} "
                f"is printed, as {_show(count)} organisations would make.",
            )


def extrapolations(claims: Claims) -> Iterator[Contradiction]:
    """A rate times the population that it names is the total; and what is called one population is one number."""
    implied: list[tuple[Claim, Claim, Printed]] = []
    for rate in claims.claims:
        total = claims.total(rate) if rate.population and rate.per != 1 else None
        if total is None:
            continue
        people = total.printed.over(rate.printed).times(exact(rate.per))
        implied.append((rate, total, people))
        known = claims.people.get(rate.population)
        if known is not None and not people.meets(known):
            yield Contradiction(
                "rate x population",
                (rate.id, total.id),
                f"{_where((rate, total))}: {total.figure} at {rate.figure} per {rate.per:,.0f} are {_show(people)} people; "
                f"{rate.population} are {_show(known)}.",
            )
    for name in dict.fromkeys(rate.population for rate, _, _ in implied if rate.population not in claims.people):
        group = [(rate, total, people) for rate, total, people in implied if rate.population == name]
        # One number of people can be behind all of them only if all intervals have a point in common.
        if max(people.low for *_, people in group) > min(people.high for *_, people in group):
            numbers = "; ".join(f"{_show(people)} by {rate.name}" for rate, _, people in group)
            yield Contradiction(
                "one name, several populations",
                tuple(c.id for rate, total, _ in group for c in (rate, total)),
                f"{_where([rate for rate, _, _ in group])}: what is called {name} has {numbers}.",
            )


def ranges(claims: Claims) -> Iterator[Contradiction]:
    """No mean or median lies outside the lowest and highest value."""
    for middle in claims.claims:
        if middle.stat not in ("mean", "median"):
            continue
        for stat in ("lowest", "highest"):
            for end in claims.of(stat, middle):
                gap = middle.printed.value - end.printed.value
                beyond = (gap < 0 if stat == "lowest" else gap > 0) and not middle.printed.meets(end.printed)
                if end.part == middle.part and end.per == middle.per and beyond:
                    yield Contradiction(
                        "range",
                        (middle.id, end.id),
                        f"{_where((middle, end))}: the {middle.stat} of {middle.name}, {middle.figure}, lies beyond the {stat}, {end.figure}.",
                    )


# A figure that is so many times any other of its table, or so small a part of it, is none of them.
FAR = 10.0


def page_numbers(claims: Claims) -> Iterator[Contradiction]:
    """A cell of a table that is the number of its page, and unlike every other figure of the table, is no figure of it."""
    for claim in claims.claims:
        if claim.page is None or claim.figure.strip() != str(claim.page):
            continue
        same = [c for c in claims.claims if (c.measure, c.stat) == (claim.measure, claim.stat)]
        others = [c.printed for c in same if c.id != claim.id and c.figure]
        far = all(o.high * FAR < claim.page or o.low > claim.page * FAR for o in others)
        if others and far:
            yield Contradiction(
                "page number",
                (claim.id,),
                f"{claim.where}: {claim.figure}, as {claim.name}, is the number of the page and unlike the other {len(others)} figures.",
            )


def directions(claims: Claims) -> Iterator[Contradiction]:
    """A rise or fall that is told is one in the figures of the two years; where these round alike, nothing follows."""
    for told in claims.claims:
        if told.direction is None:
            continue
        for stat in ("share", "total", "mean", "rate"):
            series = sorted((c for c in claims.of(stat, told) if c.part == told.part), key=lambda c: c.year or 0)
            ends = [c for c in series if c.year in told.years]
            for first, last in pairwise(ends[:1] + ends[-1:]):
                change = last.printed.less(first.printed)
                wrong = change.high < 0 if told.direction == "rises" else change.low > 0
                if first.year != last.year and wrong:
                    yield Contradiction(
                        "direction",
                        (told.id, first.id, last.id),
                        f"{_where((told, first))}: {told.name} {told.direction} by the words; from {first.year} to {last.year} it goes from {first.figure} to "
                        f"{last.figure}.",
                    )


def superlatives(claims: Claims) -> Iterator[Contradiction]:
    """What is told to have changed most is one thing; and what fell most of all does not gain share, nor the other way round."""
    for group in claims.grouped(lambda c: (c.measure, c.superlative) if c.superlative else None):
        for one, other in combinations(group, 2):
            if one.part != other.part:
                yield Contradiction(
                    "superlative",
                    (one.id, other.id),
                    f"{_where((one, other))}: the {one.superlative} of {one.measure} is that of {one.part}, and of {other.part}.",
                )
    for told in claims.claims:
        if told.superlative not in ("largest fall", "largest rise"):
            continue
        shares = [c for c in claims.claims if c.stat == "share" and (c.measure, c.part) == (told.measure, told.part)]
        ends = sorted((c for c in shares if c.year in told.years), key=lambda c: c.year or 0)
        if len(ends) < 2:
            continue
        change = ends[-1].printed.less(ends[0].printed)
        if (change.low > 0) if told.superlative == "largest fall" else (change.high < 0):
            yield Contradiction(
                "superlative",
                (told.id, ends[0].id, ends[-1].id),
                f"{_where((told, ends[0]))}: {told.part} has the {told.superlative} by the words; its share goes from {ends[0].figure} in "
                f"{ends[0].year} to {ends[-1].figure} in {ends[-1].year}.",
            )


def inclusions(claims: Claims) -> Iterator[Contradiction]:
    """A total that includes a part does not exclude it elsewhere."""
    for one, other in combinations([c for c in claims.claims if c.includes or c.excludes], 2):
        if one.figure_key != other.figure_key:
            continue
        for part in sorted({*one.includes, *other.includes} & {*one.excludes, *other.excludes}):
            yield Contradiction(
                "in or out",
                (one.id, other.id),
                f"{_where((one, other))}: {one.name} is said to include {part}, and to exclude it.",
            )


def overlaps(claims: Claims) -> Iterator[Contradiction]:
    """Two parts of one whole do not hold the same thing."""
    for group in claims.grouped(lambda c: c.whole_key if c.includes else None):
        for one, other in combinations(group, 2):
            for thing in sorted({*one.includes} & {*other.includes}):
                if one.part != other.part:
                    yield Contradiction(
                        "overlap",
                        (one.id, other.id),
                        f"{_where((one, other))}: {thing} is part of {one.part} and of {other.part}.",
                    )


def periods(claims: Claims) -> Iterator[Contradiction]:
    """A year such as 2014/15 ends in the year after it begins."""
    for claim in claims.claims:
        for begins, ends in PERIOD.findall(claim.period):
            if (int(begins) + 1) % 100 != int(ends):
                yield Contradiction(
                    "period",
                    (claim.id,),
                    f"{claim.where}: {begins}/{ends} is no year; expected {begins}/{(int(begins) + 1) % 100:02d}.",
                )


def time_bases(claims: Claims) -> Iterator[Contradiction]:
    """Changes of one thing that are told together are over the same years."""
    for group in claims.grouped(lambda c: c.measure if c.years and (c.direction or c.superlative) else None):
        spans = list(dict.fromkeys(c.years for c in group))
        if len(spans) > 1:
            words = ", ".join(f"{s[0]} to {s[-1]}" for s in spans)
            yield Contradiction(
                "time base",
                tuple(c.id for c in group),
                f"{_where(group)}: changes of {group[0].measure} are told over different years: {words}.",
            )


def names(claims: Claims) -> Iterator[Contradiction]:
    """One thing has one name."""
    for group in claims.grouped(lambda c: (c.measure, c.part) if c.called else None):
        for one, other in combinations(group, 2):
            if one.called.casefold() != other.called.casefold():
                yield Contradiction(
                    "vocabulary",
                    (one.id, other.id),
                    f"{_where((one, other))}: {one.part or one.measure} is called {one.called!r} and {other.called!r}.",
                )


def _once(group: Sequence[Claim]) -> list[Claim]:
    """Each part once, where several places print it."""
    return list({c.part: c for c in reversed(group)}.values())[::-1]


def _sum(figures: Sequence[Printed]) -> Printed:
    total = exact(0.0)
    for figure in figures:
        total = total.plus(figure)
    return total


# A year of accounts, such as 2014/15.
PERIOD = re.compile(r"((?:19|20)\d\d)/(\d\d)(?!\d)", re.ASCII)

RULES: tuple[Rule, ...] = (
    same_figure, shares_of_a_whole, totals_of_parts, ratios, products, totals_of_means, extrapolations, ranges, page_numbers,
    directions, superlatives, inclusions, overlaps, periods, time_bases, names,
)  # fmt: skip
