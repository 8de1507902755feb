"""The data pack of one reader: an area, a region, a trust, a CCG or a local authority."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from stocktake.audit.commentary import Commentary
from stocktake.audit.figures import SHOWN
from stocktake.audit.specification import Indicator, Specification
from stocktake.organisations.maps import Outline
from stocktake.organisations.register import Register
from stocktake.reports.audit.book import pack_book
from stocktake.reports.audit.chance import chance_pages
from stocktake.reports.audit.displays import blocks_of_indicator
from stocktake.reports.audit.facts import WORDS, Facts, Naming, Reader, beside, reader_of
from stocktake.reports.audit.maps import made_words
from stocktake.reports.audit.standing import scorecard, standing_out
from stocktake.reports.books import Book
from stocktake.reports.model import (
    Block,
    Bullets,
    Contents,
    Heading,
    KeepTogether,
    Page,
    Report,
    Text,
    paragraph,
)
from stocktake.reports.words import listed
from stocktake.results import Results


@dataclass(frozen=True)
class Pack:
    """What all packs of a collection share; `report` and `book` make those of one reader."""

    results: Results
    spec: Specification
    register: Register
    commentary: Commentary
    notice: str = ""
    contact: str = ""
    secret: str = field(default="", repr=False)
    outlines: Mapping[str, Outline] = field(default_factory=dict, repr=False)
    naming: Naming = field(default_factory=Naming)

    @cached_property
    def facts(self) -> Facts:
        return Facts(self.results, self.spec, self.register, self.commentary, self.secret, self.outlines, self.naming)

    def report(self, organisation: str) -> Report:
        """The pack as pages."""
        facts, reader = self.facts, reader_of(self.register, organisation, self.spec.census)
        pages = [
            Page("cover", self.spec.title, ()),
            Page("contents", "Contents", (Contents(),)),
            *standing_out(facts, reader),
            *scorecard(facts, reader),
            *_summary(facts, reader),
            _about_pack(facts, reader),
            *chance_pages(facts, reader),
        ]
        for code, title in self.spec.chapters.items():
            pages += _chapter(facts, reader, code, title)
        pages += [_conclusions(facts, reader), _method(facts, self.contact)]
        return Report(
            title=self.spec.title,
            subtitle=f"Data pack for {WORDS[reader.kind][0]} readers"
            if reader.kind != "stp"
            else "Data pack of this area",
            organisation=reader.name,
            organisation_code=reader.code,
            date_line=f"Year from {self.spec.begins:%d %B %Y}; census on {self.spec.census:%d %B %Y}",
            pages=tuple(pages),
            digest=self.results.digest,
            notice=self.notice,
        )

    def book(self, organisation: str) -> Book:
        """The figures of the pack as a workbook."""
        reader = reader_of(self.register, organisation, self.spec.census)
        return pack_book(self.facts, reader, self.notice)


def _about_pack(facts: Facts, reader: Reader) -> Page:
    spec = facts.spec
    words = [
        f"{facts.answered:,} organisations sent returns; {facts.signed:,} of them {'is' if facts.signed == 1 else 'are'} signed off."
        if facts.signed
        else f"{facts.answered:,} organisations sent returns. None of them is signed off yet.",
        "Each display says how many organisations its figures are of. Where there is no figure, it says why: the question "
        "was not answered, there is no such service, the number of people is not known, or an organisation serves other "
        "areas as well.",
        "Your own organisations are named and shown in black; trusts of your region, and CCGs and authorities of your "
        "area, are dark green. All others are pale.",
        _who_is_named(facts),
    ]
    blocks: list[Block] = [paragraph(spec.programme, "lead")] if spec.programme else []
    blocks += [paragraph(w) for w in words]
    day = spec.census
    for kind in ("trust", "ccg", "la"):
        own = beside(facts, reader, kind)
        if own:
            names = "; ".join(facts.register.bodies[c].name for c in own)
            word = WORDS[kind][len(own) > 1]
            who = f"Your {word}" if reader.kind == "stp" else f"{word[:1].upper()}{word[1:]} of your area"
            blocks.append(paragraph(f"{who}: {names}."))
        if kind == "trust" and reader.kind == "stp":
            spans = [c for c in own if len(facts.register.parents(c, "stp", day)) > 1]
            for code in spans:
                areas = "; ".join(facts.register.bodies[a].name for a in facts.register.parents(code, "stp", day))
                blocks.append(
                    paragraph(
                        f"{facts.register.bodies[code].name} serves several areas ({areas}). Its returns cannot be divided "
                        "between them, so that this area has no figure of its own where trusts are asked.",
                        "verdict",
                    )
                )
    return Page("about", "About this pack", tuple(blocks), anchor="about")


def _who_is_named(facts: Facts) -> str:
    """The rules of naming as a sentence."""
    by_rule: dict[str, list[str]] = {}
    for kind in ("trust", "ccg", "la"):
        by_rule.setdefault(facts.naming.of(kind), []).append(WORDS[kind][1])
    words = {
        "own": "only your own are named",
        "near": "those that are black or dark green are named",
        "everyone": "all are named in the workbook",
    }
    said = "; ".join(f"of {listed(kinds)} {words[rule]}" for rule, kinds in by_rule.items())
    return f"{said[:1].upper()}{said[1:]}. All others stand under codes, which are the same in every display."


def _summary(facts: Facts, reader: Reader) -> list[Page]:
    texts = tuple(facts.sentence(s, reader) for s in facts.commentary.summary)
    return [Page("summary", "Executive summary", (Bullets(texts),), anchor="summary")] if texts else []


def _chapter(facts: Facts, reader: Reader, code: str, title: str) -> list[Page]:
    pages: list[Page] = []
    done: set[str] = set()
    for indicator in facts.spec.displays:
        if indicator.chapter != code or indicator.code in done:
            continue
        done.add(indicator.code)
        twin = facts.spec.indicator.get(indicator.twin)
        if twin is not None and indicator.chart == "ranked bars":
            done.add(twin.code)
            pages.append(_page(facts, reader, (indicator, twin), title))
        else:
            pages.append(_page(facts, reader, (indicator,), title))
    return pages


def _page(facts: Facts, reader: Reader, indicators: tuple[Indicator, ...], chapter: str) -> Page:
    first = indicators[0]
    blocks: list[Block] = []
    for indicator in indicators:
        inner = blocks_of_indicator(facts, reader, indicator, compact=len(indicators) > 1)
        if len(indicators) > 1:
            inner = [KeepTogether((Heading(f"{indicator.code} {indicator.title}", 2), *inner))]
        blocks += inner
    for indicator in indicators:
        blocks += [facts.sentence(s, reader) for s in facts.commentary.indicators.get(indicator.code, ())]
        # On a sheet of two charts the label below the reader's bar says it.
        blocks += _how_made(facts, reader, indicator) if len(indicators) == 1 else []
        shown = facts.spec.columns[indicator.code]
        notes = [*(c for i in shown for c in i.caveats), *(f"Our reading: {i.inferred}" for i in shown if i.inferred)]
        blocks += [paragraph(n, "note") for n in notes]
    title = f"{first.code} {first.title}" if len(indicators) == 1 else f"{first.title}, and weighted for need"
    return Page("display", title, tuple(blocks), anchor=f"d-{first.code}", chapter=chapter)


def _how_made(facts: Facts, reader: Reader, indicator: Indicator) -> list[Text]:
    """The figure of the reader's own area beside a ranking of organisations, and how it was made."""
    if reader.kind not in ("stp", "region") or indicator.chart != "ranked bars" or indicator.years:
        return []
    row = facts.row(indicator.code, reader.code)
    if row is None:
        return []
    if row["status"] != SHOWN:
        return [paragraph(f"{reader.name} as a whole: no figure. {row['reason']}", "note")]
    figure = facts.number(indicator, row["value"], f"{indicator.code}.{reader.code}.value")
    return [paragraph(f"{reader.name} as a whole: {{figure}}. {made_words(facts, reader, row)}", "note", figure=figure)]


def _conclusions(facts: Facts, reader: Reader) -> Page:
    texts = tuple(facts.sentence(s, reader) for s in facts.commentary.conclusions)
    blocks: tuple[Block, ...] = (Bullets(texts),) if texts else (paragraph("No conclusions were written."),)
    return Page("conclusions", "Conclusions", blocks, anchor="conclusions", chapter="Conclusions")


def _method(facts: Facts, contact: str) -> Page:
    spec = facts.spec
    lines = [
        "A rate is what organisations counted over the people of a named population, in so many of them. Registered people are those on the lists of practices; weighted people are the same people shared out by need.",
        "Mean, median and quartiles are over organisations, each counted once whatever its size; quantiles interpolate between the two nearest figures (type 7). A figure of England divides all that was counted by all people of the organisations that answered.",
        "Intervals of counts are Byar's, below ten events exact Poisson limits; those of shares of people are Wilson's. Staff, beds and money are no counts of events by chance and have none.",
        "The limits of a funnel are those of the square root of a count of events, widened by the over-dispersion of all (the mean square of the distances, drawn in by a tenth at both ends).",
        f"A number of people or events above zero and below {facts.least} is not shown, nor is what would give it away. Withheld figures are in the sums of regions and of England, and in no mean or median.",
        "What the mean implies for England is the mean times the people of the same population, where an organisation without the service counts with none; its 95% interval is that of the mean, by Student's t over the organisations. It does not say whether those without a figure are like the others.",
        "The figure of an area is the sum over organisations that belong to it alone. Where one of them serves another area as well there is none. An area has a figure if all its organisations answered; regions and England have one from those that did.",
        "To reach the median: what would change in the year at the median's figure, only where higher or lower is judged better. It is a difference to look into, not a target.",
    ]
    blocks: list[Block] = [paragraph(line) for line in lines]
    blocks += [Heading("Deduced rather than read", 2), *(paragraph(i, "note") for i in spec.inferred)]
    blocks.append(paragraph(f"Made from the results {facts.results.digest}.", "note"))
    if contact:
        blocks.append(paragraph(f"Questions: {contact}."))
    return Page("method", "How the figures were made", tuple(blocks), anchor="method", chapter="Method")
