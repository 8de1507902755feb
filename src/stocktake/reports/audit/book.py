"""The workbook of a pack: own figures beside England's, every organisation's under its code, and summaries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stocktake.audit.figures import SHOWN
from stocktake.audit.specification import Indicator, Specification, reference
from stocktake.reports.audit.facts import WORDS, Facts, Reader, highlight, own_of
from stocktake.reports.books import CONFIDENTIAL, NOT_APPLICABLE, UNAVAILABLE, Book, Column, Sheet, sheet_of

# Titles of columns that their names in the results would leave unexplained.
NAMES = {
    "p10": "Tenth percentile",
    "p90": "Ninetieth percentile",
    "fold": "Highest over lowest",
    "fold_inner": "Ninetieth over tenth percentile",
}
MISSING = {
    SHOWN: NOT_APPLICABLE,
    "no service": NOT_APPLICABLE,
    "not asked": NOT_APPLICABLE,
    "boundaries differ": NOT_APPLICABLE,
    "withheld": CONFIDENTIAL,
}


def pack_book(facts: Facts, reader: Reader, notice: str) -> Book:
    """Every figure that the pack of a reader rests on."""
    spec = facts.spec
    cover = [f"{spec.title}: data pack of {reader.name}."]
    cover += [notice] if notice else []
    cover += [f"{facts.answered:,} organisations sent returns.", f"Made from the results {facts.results.digest}."]
    sheets = (_own(facts, reader), _summaries(facts), _national(facts), _everyone(facts, reader), _displays(facts))
    return Book(
        f"{spec.title}: {reader.name}", spec.programme or spec.title, tuple(cover), sheets, facts.results.digest
    )


def _value(row: Any, column: str = "value") -> Any:
    if row is None:
        return NOT_APPLICABLE
    value = row[column]
    # A figure that is shown lacks an interval, or a summary a ratio, because it has none.
    status = row.get("status", SHOWN if row.get("n") else "")
    return MISSING.get(status, UNAVAILABLE) if value is None else value


def _own(facts: Facts, reader: Reader) -> Sheet:
    """The reader's own figures and those of its organisations, with England's beside them."""
    columns = (
        Column("Display"), Column("Title"), Column("Part", meaning="Options of the breakdown; all is their sum."),
        Column("Unit"), Column("Whose"), Column("Figure", "precise"),
        Column("From", "precise", "Lower end of the 95% interval of chance; only where events or people are counted."),
        Column("To", "precise"), Column("Numerator", "precise"), Column("Denominator", "precise"),
        Column("England", "precise", "All that was counted over all people of those that answered."),
        Column("Made of", "count", "Organisations whose answers the figure is made of."),
        Column("State", meaning="Shown, or why there is no figure."),
    )  # fmt: skip
    rows = []
    for indicator in facts.spec.indicators:
        if indicator.years:
            continue
        kind = facts.asked(indicator)
        codes = dict.fromkeys((reader.code, *own_of(facts, reader, kind)))
        for part in facts.parts(indicator.code, kind):
            england = facts.england(indicator.code, part)
            for code in codes:
                row = facts.row(indicator.code, code, part)
                if row is None:
                    continue
                rows.append(
                    (indicator.code, indicator.title, _words(facts, indicator, part), indicator.unit,
                     row["organisation_name"], *(_value(row, c) for c in ("value", "lower_95", "upper_95", "numerator", "denominator")),
                     _value(england), row["organisations"], row["status"])
                )  # fmt: skip
    return sheet_of(
        "Own figures",
        f"Figures of {reader.name}",
        ("This sheet holds one table, a row for each figure.",),
        columns,
        rows,
    )


def _words(facts: Facts, indicator: Any, part: str) -> str:
    """The options of a part in words."""
    if not part:
        return "the whole"
    options = zip(indicator.by, part.split("/"), strict=True)
    return ", ".join("all" if o == "all" else facts.spec.dimension[d].options[o] for d, o in options)


def _summaries(facts: Facts) -> Sheet:
    names = (
        "mean",
        "median",
        "lower_quartile",
        "upper_quartile",
        "p10",
        "p90",
        "lowest",
        "highest",
        "fold",
        "fold_inner",
    )
    columns = (
        Column("Display"), Column("Title"), Column("Part"), Column("Unit"), Column("Of"),
        Column("With a figure", "count"), Column("Without the service", "count"), Column("Withheld", "count", "Fewer people than may be shown."), Column("Asked", "count"),
        *(Column(NAMES.get(n, n.replace("_", " ").capitalize()), "precise") for n in names),
    )  # fmt: skip
    rows = []
    for row in facts.results.tables["summaries"].iter_rows(named=True):
        indicator = facts.spec.indicator[row["indicator"]]
        rows.append(
            (indicator.code, indicator.title, _words(facts, indicator, row["part"]), indicator.unit, WORDS[row["kind"]][1],
             row["n"], row["no_service"], row["withheld"], row["asked"], *(_value(row, n) for n in names))
        )  # fmt: skip
    about = ("This sheet holds one table: how figures differ between organisations, each counted once.",)
    return sheet_of("Summaries", "How organisations differ", about, columns, rows)


def _national(facts: Facts) -> Sheet:
    columns = (
        Column("Display"), Column("Title"), Column("Part"), Column("Unit"), Column("Mean", "precise"), Column("From how many", "count"),
        Column("Asked", "count"), Column("Times", "precise"), Column("What they are"), Column("Implied for England", "precise"),
        Column("From", "precise"), Column("To", "precise"),
    )  # fmt: skip
    rows = []
    for row in facts.results.tables["national"].iter_rows(named=True):
        indicator = facts.spec.indicator[row["indicator"]]
        rows.append(
            (indicator.code, indicator.title, _words(facts, indicator, row["part"]), indicator.unit, _value(row, "mean"), row["n"],
             row["asked"], _value(row, "times"), row["times_what"], *(_value(row, c) for c in ("value", "lower_95", "upper_95")))
        )  # fmt: skip
    about = ("This sheet holds one table: the mean of those that answered, times the people of the same population.",)
    return sheet_of("England", "What the means imply for England", about, columns, rows)


def _everyone(facts: Facts, reader: Reader) -> Sheet:
    """Every organisation's figure of the ranked displays; those that are not named to the reader stand under a code."""
    columns = (
        Column("Display"), Column("Title"), Column("Unit"), Column("Organisation", meaning="Those that are not named here stand under codes of their own."),
        Column("Figure", "precise"), Column("Place from the lowest", "count"), Column("State"),
    )  # fmt: skip
    rows = []
    for indicator in facts.spec.indicators:
        if indicator.chart != "ranked bars":
            continue
        marks = highlight(facts, reader, indicator)
        found = facts.rows(indicator.code, indicator.of).values()
        ordered = sorted(found, key=lambda r: (r["value"] is None, r["value"] or 0.0, facts.alias(r["organisation"])))
        for row in ordered:
            name = facts.called(row, marks)
            place = int(row["place"]) if row["status"] == SHOWN else MISSING.get(row["status"], UNAVAILABLE)
            rows.append((indicator.code, indicator.title, indicator.unit, name, _value(row), place, row["status"]))
    about = ("This sheet holds one table: the bars of every ranked display.",)
    return sheet_of("All organisations", "Every organisation's figures", about, columns, rows)


def _items(spec: Specification, references: Sequence[str]) -> str:
    """What is summed, in the words of the forms."""
    out = []
    for text in references:
        code, option = reference(text)
        item = spec.item[code]
        titles = [t for d in item.by for o, t in spec.dimension[d].options.items() if o == option]
        out.append(": ".join((item.name, *titles)))
    return ", ".join(out)


def _people(spec: Specification, indicator: Indicator) -> str:
    """The population of a rate, and those of single options."""
    options = {o: t for d in indicator.by for o, t in spec.dimension[d].options.items()}
    others = [f"{options[o]}: {spec.population[p].key}" for o, p in indicator.populations.items()]
    return "; ".join((str(spec.population[indicator.population].key), *others))


def _displays(facts: Facts) -> Sheet:
    columns = (
        Column("Display"), Column("Title"), Column("Chapter"), Column("Unit"), Column("Numerator"), Column("Denominator or population"),
        Column("Better"), Column("What to know"), Column("Deduced"),
    )  # fmt: skip
    spec = facts.spec
    rows = []
    for i in spec.indicators:
        below = _people(spec, i) if i.population else _items(spec, i.denominator) or "none"
        rows.append(
            (i.code, i.title, spec.chapters[i.chapter], i.unit, _items(spec, i.numerator), below, i.polarity,
             " ".join(i.caveats) or "-", i.inferred or "-")
        )  # fmt: skip
    about = ("This sheet holds one table: what each display is made of.",)
    return sheet_of("Displays", "The displays and their definitions", about, columns, rows)
