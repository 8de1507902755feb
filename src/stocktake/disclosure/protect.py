"""Complementary suppression: the least that keeps every withheld figure uncertain."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from stocktake.compare.suppress import BESIDE
from stocktake.disclosure.attack import Memory, Pinned, attack, table_of
from stocktake.disclosure.precision import public
from stocktake.disclosure.relations import Target
from stocktake.disclosure.rules import Rules
from stocktake.results import ALL, Results

# Each round withholds one more figure beside every pinned one; a trust has few groups, and a question few answers.
ROUNDS = 25

Key = tuple[object, ...]


@dataclass(frozen=True)
class Further:
    """What is withheld beyond what is small itself, as keys.

    `scores`: (year, group, organisation, measure); `fieldwork`: (year, group, organisation); `profile`: (year, group,
    organisation, variable); `answers`: the same with the option; `national`: (year, group) of national numbers of
    participants; `shares`: (year, group, variable) of national percentages.
    """

    scores: frozenset[Key] = frozenset()
    fieldwork: frozenset[Key] = frozenset()
    profile: frozenset[Key] = frozenset()
    answers: frozenset[Key] = frozenset()
    national: frozenset[Key] = frozenset()
    shares: frozenset[Key] = frozenset()

    @property
    def size(self) -> int:
        return sum(len(keys) for keys in vars(self).values())


def protect(build: Callable[[Further], Results], rules: Rules, minimum: int) -> Results:
    """Build results, withholding further figures until no withheld one can be worked out.

    `build` makes the results with the scores of `Further` withheld; the rest of it is applied here. What is still
    pinned when nothing more can be withheld, or without `rules.complementary`, is listed in the table `disclosure`.
    """
    further = Further()
    results = build(further)
    # Most systems of relations are the same from round to round; what they pin is not worked out again.
    memory = Memory()
    found = attack(public(results, rules), rules, minimum, memory, complete=not rules.complementary)
    for _ in range(ROUNDS if rules.complementary else 0):
        more = _withhold_beside(results, found, further)
        if more.size == further.size:
            break
        further = more
        results = apply(build(further), further)
        found = attack(public(results, rules), rules, minimum, memory, complete=False)
    if found:
        # Nothing more can be withheld: what is left is listed in full.
        found = attack(public(results, rules), rules, minimum, memory)
    return replace(results, tables={**results.tables, "disclosure": table_of(found)})


def _withhold_beside(results: Results, found: Sequence[Pinned], further: Further) -> Further:
    """For every pinned figure one more: the smallest other one in the same total."""
    added: dict[str, set[Key]] = {name: set(keys) for name, keys in vars(further).items()}
    targets = dict.fromkeys(p.target for p in found if p.target.variables)
    concerned = {t.organisation for t in targets}
    parts = {
        "scores": _parts(results.scores, concerned, "n", ("year", "group", "organisation", "measure")),
        "fieldwork": _parts(results.fieldwork, concerned, "completed", ("year", "group", "organisation")),
    }
    for target in targets:
        name, key = _beside(results, parts, target, added)
        if key is not None:
            added[name].add(key)
    return Further(**{name: frozenset(keys) for name, keys in added.items()})


def _parts(
    table: pl.DataFrame, organisations: Collection[str], by: str, names: tuple[str, ...]
) -> dict[Key, list[Key]]:
    """The keys of the groups of some organisations that have a figure, the smallest first, by everything but the group.

    There are many targets: each is looked up in a dictionary many times as fast as a table is filtered for it.
    """
    out: dict[Key, list[Key]] = {}
    there = pl.col("organisation").is_in(sorted(organisations)) & (pl.col("group") != ALL) & pl.col(by).is_not_null()
    rows = table.filter(there).sort(by, *names)
    for key in rows.select(names).iter_rows():
        out.setdefault(key[:1] + key[2:], []).append(key)
    return out


def _beside(
    results: Results, parts: Mapping[str, Mapping[Key, list[Key]]], target: Target, added: dict[str, set[Key]]
) -> tuple[str, Key | None]:
    if target.table in parts:
        whole: Key = (target.year, target.organisation)
        whole += (target.measure,) if target.table == "scores" else ()
        others = parts[target.table].get(whole, [])
        key = next((k for k in others if k not in added[target.table]), None)
        if target.table == "scores" or (target.group != ALL and key is not None):
            return target.table, key
        return "national", (target.year, target.group if target.group in set(results.fieldwork["group"]) else ALL)
    where = (pl.col("year") == target.year) & (pl.col("organisation") == target.organisation)
    return _beside_profile(results, target, where, added)


def _beside_profile(
    results: Results, target: Target, where: pl.Expr, added: dict[str, set[Key]]
) -> tuple[str, Key | None]:
    variable = target.measure.partition(", answer ")[0]
    rows = results.profile.filter(where & (pl.col("variable") == variable))
    mine = rows.filter(pl.col("group") == target.group)
    answer = ("year", "group", "organisation", "variable", "option")
    if target.figure == "count":
        hidden = mine.filter((pl.col("status") == "withheld") & pl.col("n").is_not_null()).height
        if hidden < 2:
            # A lone answer follows from all others; a second one beside it is the least that helps.
            some = mine.filter(pl.col("percent") > 0)
            key = _smallest(some, "percent", answer, added["answers"])
            if key is not None:
                return "answers", key
        # The same answer of another group, or of the whole: with two of a column unknown, neither follows.
        option = int(target.measure.partition(", answer ")[2])
        column = rows.filter(pl.col("option") == option)
        if column.filter((pl.col("status") == "withheld") & pl.col("n").is_not_null()).height < 2:
            key = _smallest(column.filter(pl.col("percent") > 0), "percent", answer, added["answers"])
            if key is not None:
                return "answers", key
    parts = mine if target.figure == "count" else rows.filter(pl.col("group") != target.group)
    for chosen in (parts, rows):
        shown = chosen.filter((pl.col("group") != ALL) & pl.col("n").is_not_null())
        key = _smallest(shown, "n", ("year", "group", "organisation", "variable"), added["profile"])
        if key is not None:
            return "profile", key
    return "shares", (target.year, target.group if target.group in set(rows["group"]) else ALL, variable)


def _smallest(rows: pl.DataFrame, by: str, key: tuple[str, ...], taken: Collection[Key]) -> Key | None:
    """The key of the row with the smallest figure that is not taken yet."""
    for row in rows.sort(by, *key).select(key).iter_rows():
        if row not in taken:
            return row
    return None


def apply(results: Results, further: Further) -> Results:
    """The results with everything of `further` but scores withheld, and one reason for all that is."""
    tables = dict(results.tables)
    hidden = ("undeliverable", "died", "completed", "response_rate")
    work = _hide(tables["fieldwork"], further.fieldwork, ("year", "group", "organisation"), hidden)
    national = ("national_completed", "national_response_rate")
    tables["fieldwork"] = _nulls(work, further.national, ("year", "group"), national)
    # A profile of people whose number is withheld would reveal it.
    who = ("year", "group", "organisation")
    profile = _hide(tables["profile"], further.fieldwork, who, ("n", "percent"))
    profile = _hide(profile, further.profile, (*who, "variable"), ("n", "percent"))
    profile = _hide(profile, further.answers, (*who, "variable", "option"), ("percent",))
    tables["profile"] = _nulls(profile, further.shares, ("year", "group", "variable"), ("national_percent",))
    withheld = {
        "scores": further.scores,
        "fieldwork": further.fieldwork,
        "profile": further.fieldwork | further.profile | further.answers,
    }
    for name, keys in withheld.items():
        if keys:
            tables[name] = one_reason(tables[name], wholes=name == "profile")
    return replace(results, tables=tables)


def one_reason(table: pl.DataFrame, *, wholes: bool) -> pl.DataFrame:
    """The same reason in every row that is withheld: of service groups, and of `wholes` where they may be for others' sake."""
    alike = (pl.col("status") == "withheld") & (pl.lit(wholes) | (pl.col("group") != ALL))
    return table.with_columns(reason=pl.when(alike).then(pl.lit(BESIDE)).otherwise("reason"))


def _marked(table: pl.DataFrame, keys: Collection[Key], names: tuple[str, ...]) -> pl.DataFrame:
    schema = {name: table.schema[name] for name in names}
    listed = pl.DataFrame(sorted(keys, key=str), schema=schema, orient="row").with_columns(_marked=pl.lit(True))
    return table.join(listed, on=list(names), how="left", maintain_order="left")


def _nulls(
    table: pl.DataFrame, keys: Collection[Key], names: tuple[str, ...], columns: tuple[str, ...]
) -> pl.DataFrame:
    if not keys:
        return table
    marked = _marked(table, keys, names)
    return marked.with_columns(pl.when(pl.col("_marked").is_null()).then(pl.col(c)).alias(c) for c in columns).drop(
        "_marked"
    )


def _hide(table: pl.DataFrame, keys: Collection[Key], names: tuple[str, ...], columns: tuple[str, ...]) -> pl.DataFrame:
    if not keys:
        return table
    marked = _marked(table, keys, names)
    free = pl.col("_marked").is_null() | (pl.col("status") != "shown")
    return marked.with_columns(
        *(pl.when(pl.col("_marked").is_null()).then(pl.col(c)).alias(c) for c in columns),
        status=pl.when(free).then("status").otherwise(pl.lit("withheld")),
        reason=pl.when(free).then("reason").otherwise(pl.lit(BESIDE)),
    ).drop("_marked")
