"""Where a reader stands among all organisations: the first page of its pack, and the scorecard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stocktake.audit.figures import SHOWN
from stocktake.audit.specification import Indicator, Polarity
from stocktake.reports.audit.chance import outside_limits
from stocktake.reports.audit.facts import Facts, Reader, Row, own_of
from stocktake.reports.figure_charts import Spine, SpineRow
from stocktake.reports.model import (
    Block,
    Bullets,
    Columns,
    Figure,
    Heading,
    Inline,
    Link,
    Page,
    Text,
    paragraph,
)
from stocktake.reports.words import plural, rounded

# Displays on one sheet of the scorecard.
SPINE_ROWS = 26
JUDGED: dict[Polarity, str] = {
    "higher better": ", higher is judged better",
    "lower better": ", lower is judged better",
    "no judgement": "",
}


@dataclass(frozen=True)
class _Place:
    """A figure of the reader's own, or of a trust of its area, among those of all organisations."""

    indicator: Indicator
    code: str
    name: str
    row: Row
    summary: Row

    @property
    def end(self) -> int:
        """1 in the highest quarter of organisations, -1 in the lowest, 0 between them or without a figure."""
        if self.row["status"] != SHOWN:
            return 0
        value = self.row["value"]
        return int(value > self.summary["upper_quartile"]) - int(value < self.summary["lower_quartile"])


def _places(facts: Facts, reader: Reader) -> Iterator[_Place]:
    """The reader's place in every display that ranks organisations."""
    for indicator in facts.spec.indicators:
        if indicator.chart != "ranked bars" or indicator.form == "total":
            continue
        summary = facts.summary(indicator.code)
        if summary is None or not summary["n"]:
            continue
        for code, name in _who(facts, reader, indicator):
            row = facts.row(indicator.code, code)
            if row is not None:
                yield _Place(indicator, code, name, row, summary)


def _who(facts: Facts, reader: Reader, indicator: Indicator) -> list[tuple[str, str]]:
    """Whose figures are placed: the reader's own, and where its area has none those of its trusts."""
    row = facts.row(indicator.code, reader.code)
    if row is not None and (row["status"] == SHOWN or reader.kind != "stp"):
        return [(reader.code, reader.name)]
    own = own_of(facts, reader, indicator.of)
    if reader.kind == "stp" and indicator.of == "trust":
        return [(c, facts.register.bodies[c].name) for c in own[:3]]
    return [(reader.code, reader.name)] if row is not None else []


def anchor_of(facts: Facts, indicator: Indicator) -> str:
    """The page of a display; the second of a pair that share one has that of the first."""
    for other in facts.spec.displays:
        if other.code == indicator.code:
            break
        if other.twin == indicator.code and other.chart == "ranked bars":
            return f"d-{other.code}"
    return f"d-{indicator.code}"


def standing_out(facts: Facts, reader: Reader) -> list[Page]:
    """What is unusual here: the first page of a pack. None for a reader without a figure that is ranked."""
    placed = [p for p in _places(facts, reader) if p.row["status"] == SHOWN]
    if not placed:
        return []
    several = len({p.code for p in placed}) > 1
    high, low = [p for p in placed if p.end > 0], [p for p in placed if p.end < 0]
    usual = rounded(len(placed) / 4, 0)
    lead = (
        f"{len(placed)} {plural(len(placed), 'figure')} of {reader.name} can be ranked: {len(high)} in the highest quarter of "
        f"organisations and {len(low)} in the lowest. About {usual} of each would be usual."
    )
    blocks: list[Block] = [paragraph(lead, "verdict")]
    found = outside_limits(facts, reader)
    if found:
        items = tuple(_outside(facts, indicator, row) for indicator, row in found)
        blocks += [Heading("Beyond chance", anchor=""), Bullets(items)]
    else:
        blocks.append(
            paragraph("No rate of yours lies outside the limits of what chance and the usual spread explain.")
        )
    left, right = (
        (Heading(title), Bullets(tuple(_line(facts, p, several) for p in own)) if own else paragraph("None."))
        for title, own in (("In the highest quarter", high), ("In the lowest quarter", low))
    )
    blocks.append(Columns(left, right))
    blocks.append(
        paragraph(
            "High or low is neither good nor bad by itself, except where it says so. Begin with what is beyond chance, then with "
            "the figures that you did not expect; each leads to its display, which says who is compared and how.",
            "note",
        )
    )
    return [Page("standout", "What stands out", tuple(blocks), anchor="stands-out")]


def _outside(facts: Facts, indicator: Indicator, row: Row) -> Text:
    above = row["value"] > row["funnel_upper"]
    edge = row["funnel_upper"] if above else row["funnel_lower"]
    source = f"{indicator.code}.{row['organisation']}"
    return Text(
        (
            Link(f"{indicator.code} {indicator.title}", f"chance-{indicator.code}"),
            f": {row['organisation_name']} has ",
            facts.number(indicator, row["value"], f"{source}.value"),
            f", {'above' if above else 'below'} the 99.8% limit of ",
            facts.number(indicator, edge, f"{source}.funnel_{'upper' if above else 'lower'}"),
            " for its number of people.",
        )
    )


def _line(facts: Facts, place: _Place, several: bool) -> Text:
    indicator = place.indicator
    parts: tuple[Inline, ...] = (
        Link(f"{indicator.code} {indicator.title}", anchor_of(facts, indicator)),
        f" ({place.name}): " if several else ": ",
        facts.number(indicator, place.row["value"], f"{indicator.code}.{place.code}.value"),
        ", median ",
        facts.number(indicator, place.summary["median"], f"{indicator.code}.median"),
        f" of {place.summary['n']:,}{JUDGED[indicator.polarity]}",
    )
    return Text(parts)


def scorecard(facts: Facts, reader: Reader) -> list[Page]:
    """Where the reader stands on every display that ranks organisations."""
    groups: dict[str, list[SpineRow]] = {}
    for place in _places(facts, reader):
        indicator, row, summary = place.indicator, place.row, place.summary
        lowest, lower, median, upper, highest = (
            float(summary[c]) for c in ("lowest", "lower_quartile", "median", "upper_quartile", "highest")
        )
        own = row["value"] if row["status"] == SHOWN else None
        label = f"{indicator.code} {indicator.title} (n {summary['n']:,})"
        unit, anchor = facts.unit(indicator), anchor_of(facts, indicator)
        spine = SpineRow(label, own, row["reason"], lowest, lower, median, upper, highest, unit, anchor)
        groups.setdefault(place.name, []).append(spine)
    pages: list[Page] = []
    for name, rows in groups.items():
        alt = f"Scorecard of {name}: {len(rows)} figures, each between the lowest and the highest of all organisations."
        many = -(-len(rows) // SPINE_ROWS)
        for i in range(many):
            part = tuple(rows[i * SPINE_ROWS : (i + 1) * SPINE_ROWS])
            blocks = (
                Figure(Spine(name, part, alt)),
                paragraph("Diamond: here. Line: median of the n organisations with a figure. Dark: their middle half. A place to the right is a higher figure, which is neither good nor bad by itself.", "note"),
            )  # fmt: skip
            title = f"Scorecard: {name}{' (continued)' if i else ''}"
            pages.append(Page("scorecard", title, blocks, anchor="" if i or pages else "scorecard"))
    return pages
