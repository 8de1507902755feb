"""Paragraphs of a slide, written as pieces of XML: run by run through the library takes longer than all else of a deck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from pptx.oxml import parse_xml
from pptx.oxml.ns import qn
from pptx.util import Inches

from stocktake.render.words import clean

A = "http://schemas.openxmlformats.org/drawingml/2006/main"


@dataclass(frozen=True)
class Run:
    """A run of text: its size in points, and its colour as one of the theme's."""

    words: str
    size: int
    bold: bool = False
    colour: str = "tx1"

    def xml(self) -> str:
        weight = ' b="1"' if self.bold else ""
        fill = f'<a:solidFill><a:schemeClr val="{self.colour}"/></a:solidFill>'
        return f'<a:r><a:rPr lang="en-GB" sz="{self.size * 100}"{weight}>{fill}</a:rPr><a:t>{escape(clean(self.words))}</a:t></a:r>'


def paragraph(runs: Sequence[Run], sign: str = "", align: str = "l", after: int = 4) -> str:
    """A paragraph with a hanging bullet, a number, or (sign empty) neither: body placeholders have bullets of their own."""
    hang = Inches(0.28)
    place = f'marL="{hang}" indent="-{hang}"' if sign else 'marL="0" indent="0"'
    mark = (
        "<a:buNone/>" if not sign else '<a:buChar char="•"/>' if sign == "•" else '<a:buAutoNum type="arabicPeriod"/>'
    )
    # The master's body text has space before each paragraph as well, which heights of blocks know nothing of.
    before = '<a:spcBef><a:spcPts val="0"/></a:spcBef>'
    properties = (
        f'<a:pPr {place} algn="{align}">{before}<a:spcAft><a:spcPts val="{after * 100}"/></a:spcAft>{mark}</a:pPr>'
    )
    return f'<a:p xmlns:a="{A}">{properties}{"".join(r.xml() for r in runs)}</a:p>'


def put(frame: Any, paragraphs: Sequence[str]) -> list[Any]:
    """Replace a text frame's paragraphs; returns their elements."""
    body = frame._txBody
    for old in body.findall(qn("a:p")):
        body.remove(old)
    made = [parse_xml(p) for p in paragraphs]
    for element in made:
        body.append(element)
    return made


def link(element: Any, relation: str, *, inside: bool) -> None:
    """Make the run element a link by a relation of its slide's part, to another slide or to an address."""
    properties = element.find(qn("a:rPr"))
    click = properties.makeelement(qn("a:hlinkClick"), {qn("r:id"): relation})
    if inside:
        click.set("action", "ppaction://hlinksldjump")
    properties.append(click)
