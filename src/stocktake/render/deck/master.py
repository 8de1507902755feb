"""The slide master and its layouts: where a trust restyles a deck, in one place."""

from __future__ import annotations

import io
import re
from collections import Counter
from functools import lru_cache
from typing import Any

from pptx import Presentation
from pptx.opc.constants import RELATIONSHIP_TYPE as RT
from pptx.opc.packuri import PackURI
from pptx.util import Emu, Inches

from stocktake.render.theme import Theme

# A slide of 16:9, in inches, and the positions of its parts.
WIDTH, HEIGHT = 13.333, 7.5
LEFT, TOP, RIGHT, BOTTOM = 0.55, 1.2, 0.55, 0.6
BODY_WIDTH, BODY_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
GAP = 0.4
LAYOUTS = ("Title Slide", "Title and Content", "Two Content", "Title Only")


def font_of(theme: Theme) -> str:
    """The font's name in Office files: every office has Arial, of which Liberation Sans has the measures."""
    return "Arial" if theme.font == "Liberation Sans" else theme.font


@lru_cache(maxsize=4)
def _template(theme_json: str, font: str) -> bytes:
    theme = Theme.model_validate_json(theme_json)
    deck: Any = Presentation()
    deck.slide_width, deck.slide_height = Inches(WIDTH), Inches(HEIGHT)
    _keep_layouts(deck)
    _recolour(deck, theme, font)
    _place(deck.slide_master)
    _place_title(deck.slide_layouts.get_by_name("Title Slide"))
    for name in LAYOUTS[1:]:
        _place(deck.slide_layouts.get_by_name(name))
    _line(deck.slide_master, theme)
    _styles(deck.slide_master)
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


def new_deck(theme: Theme) -> Any:
    """An empty presentation with the theme's own master."""
    deck = Presentation(io.BytesIO(_template(theme.model_dump_json(), font_of(theme))))
    _number_parts(deck.part.package)
    return deck


def _number_parts(package: Any) -> None:
    """Count new parts, instead of looking through all there are for the next free number, as the library does."""
    used: Counter[str] = Counter()

    def next_partname(template: str) -> PackURI:
        used[template] += 1
        return PackURI(template % used[template])

    # The empty deck has no chart, workbook or picture whose number could be taken.
    package.next_partname = next_partname


def _keep_layouts(deck: Any) -> None:
    layouts = deck.slide_layouts
    for layout in list(layouts):
        if layout.name not in LAYOUTS:
            layouts.remove(layout)


def _recolour(deck: Any, theme: Theme, font: str) -> None:
    """The theme part's colours and fonts; everything on slides refers to these."""
    part = deck.slide_master.part.part_related_by(RT.THEME)
    xml = part.blob.decode("utf-8")
    colours = {
        "dk1": theme.ink,
        "lt1": "#FFFFFF",
        "dk2": theme.soft,
        "lt2": "#EAF1F7",
        "accent1": theme.accent,
        "accent2": theme.average,
        "accent3": theme.band_colours[6],
        "accent4": theme.band_colours[0],
        "accent5": theme.band_colours[3],
        "accent6": theme.own,
        "hlink": theme.accent,
        "folHlink": theme.average,
    }
    for name, colour in colours.items():
        xml = re.sub(
            rf"<a:{name}>.*?</a:{name}>", f'<a:{name}><a:srgbClr val="{colour[1:]}"/></a:{name}>', xml, flags=re.S
        )
    xml = re.sub(r'(<a:(?:major|minor)Font>\s*<a:latin typeface=")[^"]*', rf"\g<1>{font}", xml)
    part._blob = xml.encode("utf-8")


def _set(shape: Any, x: float, y: float, w: float, h: float) -> None:
    shape.left, shape.top, shape.width, shape.height = (Emu(Inches(v)) for v in (x, y, w, h))


def _place(slide: Any) -> None:
    """Title above, body below it, date off, foot and number at the bottom."""
    bodies = []
    for shape in list(slide.placeholders):
        kind = shape.placeholder_format.type
        name = str(kind)
        if "TITLE" in name:
            _set(shape, LEFT, 0.3, BODY_WIDTH, 0.75)
            shape.text_frame.margin_left = 0
        elif "FOOTER" in name:
            _set(shape, LEFT, HEIGHT - 0.45, BODY_WIDTH - 1.2, 0.3)
            _plain_foot(shape)
        elif "SLIDE_NUMBER" in name:
            _set(shape, WIDTH - RIGHT - 1.0, HEIGHT - 0.45, 1.0, 0.3)
            _plain_foot(shape)
        elif "DATE" in name:
            shape._element.getparent().remove(shape._element)
        else:
            bodies.append(shape)
    each = (BODY_WIDTH - GAP * (len(bodies) - 1)) / max(len(bodies), 1)
    for i, shape in enumerate(bodies):
        _set(shape, LEFT + i * (each + GAP), TOP, each, BODY_HEIGHT)


def _place_title(layout: Any) -> None:
    for shape in list(layout.placeholders):
        name = str(shape.placeholder_format.type)
        if "SUBTITLE" in name:
            _set(shape, 1.0, 4.2, 11.3, 1.8)
        elif "TITLE" in name:
            _set(shape, 1.0, 2.0, 11.3, 2.0)
        elif "DATE" in name:
            shape._element.getparent().remove(shape._element)
        elif "FOOTER" in name:
            _set(shape, LEFT, HEIGHT - 0.45, BODY_WIDTH - 1.2, 0.3)
            _plain_foot(shape)
        else:
            _set(shape, WIDTH - RIGHT - 1.0, HEIGHT - 0.45, 1.0, 0.3)
            _plain_foot(shape)


def _plain_foot(shape: Any) -> None:
    """Foot and number in a colour that can be read, the foot on the left."""
    a = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
    for level in shape._element.iter(f"{a}lvl1pPr"):
        level.set("algn", "l" if "FOOTER" in str(shape.placeholder_format.type) else "r")
    for colour in shape._element.iter(f"{a}schemeClr"):
        colour.set("val", "tx2")
        for tint in list(colour):
            colour.remove(tint)
    body = shape._element.find(f".//{a}bodyPr")
    if body is not None:
        body.set("lIns", "0")


def _line(master: Any, theme: Theme) -> None:
    """A rule in the accent colour along the top of every slide."""
    from lxml import etree

    xml = (
        '<p:sp xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><p:nvSpPr><p:cNvPr id="90" name="Rule" descr=""/>'
        '<p:cNvSpPr/><p:nvPr userDrawn="1"/></p:nvSpPr><p:spPr><a:xfrm><a:off x="0" y="0"/>'
        f'<a:ext cx="{Inches(WIDTH)}" cy="{Inches(0.12)}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
        '<a:solidFill><a:schemeClr val="accent1"/></a:solidFill><a:ln><a:noFill/></a:ln></p:spPr></p:sp>'
    )
    tree = master.shapes._spTree
    tree.insert(2, etree.fromstring(xml))


def _styles(master: Any) -> None:
    """Sizes and colours of the title and the five levels of body text, for slides to inherit."""
    styles = master._element.find("{http://schemas.openxmlformats.org/presentationml/2006/main}txStyles")
    a = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
    p = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
    for kind, sizes in (("titleStyle", [26]), ("bodyStyle", [15, 14, 13, 12, 12])):
        for level, size in enumerate(sizes, start=1):
            properties = styles.find(f"{p}{kind}/{a}lvl{level}pPr")
            properties.set("algn", "l")
            run = properties.find(f"{a}defRPr")
            run.set("sz", str(size * 100))
            if kind == "titleStyle":
                run.set("b", "1")
                fill = run.find(f"{a}solidFill/{a}schemeClr")
                if fill is not None:
                    fill.set("val", "accent1")
