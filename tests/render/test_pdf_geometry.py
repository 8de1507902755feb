"""Drawn charts read back from the PDF: vector paths and printed words, from which the numbers are the model's."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pikepdf
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import drawings
from drawings import THEME, Circle, Line, Picture, Polygon, Rect, Shape, Word, check, check_breaks, width_of
from stocktake.render.pdf import pdf_bytes
from stocktake.reports.charts import Chart, TrendLines
from stocktake.reports.model import Block, Columns, Figure, Page, Report

# The same few documents every time, as random as those of the drawings.
FEW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def document(charts: list[Chart], halves: bool = False) -> bytes:
    """A report with one chart a page, each with an alternative text of its own, over the whole or half the width."""
    pages = [Page("cover", "Trust", ())]
    for i, chart in enumerate(charts):
        figure = Figure(replace(chart, alt=alt_of(i)))
        blocks: tuple[Block, ...] = (Columns((figure,), ()),) if halves else (figure,)
        pages.append(Page("test", f"Chart {i}", blocks, f"chart-{i}", "Charts"))
    return pdf_bytes(Report("Report", "Sub", "Trust", "T1", "", tuple(pages), "d"), THEME)


def alt_of(place: int) -> str:
    return f"Alternative text number {place} of a random chart."


# A page's content as shapes

Matrix = tuple[float, float, float, float, float, float]


def _times(one: Matrix, other: Matrix) -> Matrix:
    a, b, c, d, e, f = one
    g, h, i, j, k, m = other
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def _at(m: Matrix, x: float, y: float) -> tuple[float, float]:
    return m[0] * x + m[2] * y + m[4], m[1] * x + m[3] * y + m[5]


def _hex(parts: list[float]) -> str:
    colours = parts * 3 if len(parts) == 1 else parts
    return "#" + "".join(f"{round(255 * c):02X}" for c in colours)


@dataclass
class _State:
    matrix: Matrix = (1, 0, 0, 1, 0, 0)
    fill: str = "#000000"
    stroke: str = "#000000"
    dash: tuple[float, ...] = ()


@dataclass
class _Reader:
    """Follows a page's content and keeps what is drawn inside each figure; y grows downwards from the figure's top."""

    page: pikepdf.Page
    pictures: dict[str, Picture] = field(default_factory=dict)
    state: _State = field(default_factory=_State)
    stack: list[_State] = field(default_factory=list)
    paths: list[list[tuple[float, float]]] = field(default_factory=list)
    curved: bool = False
    clipping: bool = False
    alt: str | None = None
    box: tuple[float, float, float, float] | None = None
    text: tuple[Matrix, str, float] = ((1, 0, 0, 1, 0, 0), "", 0.0)
    written: str = ""

    def read(self) -> dict[str, Picture]:
        for instruction in pikepdf.parse_content_stream(self.page):
            operands: list[Any] = list(instruction.operands)
            self._do(str(instruction.operator), operands)
        return self.pictures

    def _do(self, name: str, operands: list[Any]) -> None:
        state = self.state
        if name == "BDC":
            alt = operands[1].get("/Alt") if isinstance(operands[1], pikepdf.Dictionary) else None
            self.alt, self.box = (str(alt), None) if alt is not None else (None, None)
        elif name == "EMC":
            self.alt = None
        elif name == "q":
            self.stack.append(replace(state))
        elif name == "Q":
            self.state = self.stack.pop()
        elif name == "cm":
            state.matrix = _times(self._matrix(operands), state.matrix)
        elif name in ("scn", "sc", "g", "rg"):
            state.fill = _hex([float(v) for v in operands])
        elif name in ("SCN", "SC", "G", "RG"):
            state.stroke = _hex([float(v) for v in operands])
        elif name == "d":
            state.dash = tuple(float(v) for v in operands[0])
        elif name in ("m", "l", "c", "v", "y", "re", "h"):
            self._path(name, [float(v) for v in operands])
        elif name in ("W", "W*"):
            self.clipping = True
        elif name in ("f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "n"):
            self._paint(filled=name.lower()[0] in "fb", stroked=name.lower()[0] in "sb")
        elif name in ("BT", "Tf", "Tm", "Tj", "TJ", "ET"):
            self._text(name, operands)
        else:
            # Whatever else moves or draws would be missed here.
            assert name in ("cs", "CS", "w", "M", "J", "j", "Tr", "gs", "i", "ri", "BMC"), name

    @staticmethod
    def _matrix(operands: list[Any]) -> Matrix:
        a, b, c, d, e, f = (float(v) for v in operands)
        return a, b, c, d, e, f

    def _path(self, name: str, v: list[float]) -> None:
        if name == "re":
            x, y, w, h = v
            corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)]
            self.paths.append([_at(self.state.matrix, *p) for p in corners])
        elif name == "h":
            self.paths[-1].append(self.paths[-1][0])
        else:
            if name == "m":
                self.paths.append([])
            self.curved |= name in "cvy"
            # Curves are circles here, in quarters, whose ends reach as far as the circle does.
            self.paths[-1].append(_at(self.state.matrix, *v[-2:]))

    def _paint(self, *, filled: bool, stroked: bool) -> None:
        paths, curved, clipping = self.paths, self.curved, self.clipping
        self.paths, self.curved, self.clipping = [], False, False
        if self.alt is None:
            return
        if clipping and self.box is None:
            xs, ys = zip(*paths[0], strict=True)
            self.box = min(xs), min(ys), max(xs), max(ys)
            self.pictures[self.alt] = Picture(self.box[2] - self.box[0], self.box[3] - self.box[1])
        if not (filled or stroked):
            return
        assert self.box is not None, "a figure begins with its frame"
        for path in paths:
            shape = self._shape([self._down(*p) for p in path], filled, stroked, curved)
            self.pictures[self.alt].shapes.append(shape)

    def _down(self, x: float, y: float) -> tuple[float, float]:
        assert self.box is not None
        return x - self.box[0], self.box[3] - y

    def _shape(
        self, points: list[tuple[float, float]], filled: bool, stroked: bool, curved: bool
    ) -> Rect | Line | Polygon | Circle:
        state = self.state
        xs, ys = zip(*points, strict=True)
        left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
        if not filled:
            (x1, y1), (x2, y2) = points
            return Line(x1, y1, x2, y2, state.stroke, state.dash)
        if curved:
            assert abs((right - left) - (bottom - top)) < 0.02
            return Circle((left + right) / 2, (top + bottom) / 2, (right - left) / 2, state.fill)
        corners = points[:-1] if points[0] == points[-1] else points
        square = all((a[0] == b[0]) != (a[1] == b[1]) for a, b in pairwise([*corners, corners[0]]))
        if len(corners) == 4 and square:
            return Rect(left, top, right, bottom, state.fill, state.stroke if stroked else "")
        return Polygon(tuple(corners), state.fill)

    def _text(self, name: str, operands: list[Any]) -> None:
        matrix, font, size = self.text
        if name == "BT":
            self.written = ""
        elif name == "Tf":
            self.text = (matrix, str(operands[0]), float(operands[1]))
        elif name == "Tm":
            self.text = (self._matrix(operands), font, size)
        elif name in ("Tj", "TJ"):
            parts = operands[0] if name == "TJ" else operands
            codes = b"".join(bytes(p) for p in parts if isinstance(p, pikepdf.String))
            letters = _letters(self.page.Resources["/Font"][font])
            self.written += "".join(letters[codes[i : i + 2]] for i in range(0, len(codes), 2))
        elif self.alt is not None:
            whole = _times(matrix, self.state.matrix)
            x, y = self._down(*_at(whole, 0, 0))
            bold, size = "Bold" in str(self.page.Resources["/Font"][font].BaseFont), size * abs(whole[3])
            word = Word(x, x + width_of(self.written, size, bold), y, self.written, self.state.fill, size, bold)
            _add(self.pictures[self.alt].shapes, word)


def _add(shapes: list[Shape], word: Word) -> None:
    """A further word, or further letters of the one before: words are set letter by letter."""
    before = shapes[-1] if shapes else None
    if (
        isinstance(before, Word)
        and (before.fill, before.bold) == (word.fill, word.bold)
        and abs(before.y - word.y) < 0.01
        and abs(word.left - before.right) < 0.15 * word.size
    ):
        shapes[-1] = replace(before, right=word.right, text=before.text + word.text)
    else:
        shapes.append(word)


def _letters(font: Any) -> dict[bytes, str]:
    """Which letters a font's two-byte codes stand for, by the table that makes a PDF's words copyable."""
    table = font.ToUnicode.read_bytes().decode("latin-1")
    out: dict[bytes, str] = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", table, re.S):
        for code, letters in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
            out[bytes.fromhex(code)] = bytes.fromhex(letters).decode("utf-16-be")
    assert "beginbfrange" not in table
    return out


def pictures(pdf: bytes) -> Iterator[Picture]:
    """The figures of a PDF, in order."""
    found: dict[str, Picture] = {}
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        for page in opened.pages:
            found |= _Reader(page).read()
    for i in range(len(found)):
        yield found[alt_of(i)]


# Shapes without width or height are not written, so bars begin above zero here.
LEAST = 0.05
WIDE = st.tuples(
    drawings.ranked_bars(LEAST, (1, 12, 53), marked=True),
    drawings.funnels(),
    drawings.scorecards(),
    drawings.change_dots(),
)
NARROW = st.tuples(
    drawings.band_strips(star=False),
    drawings.band_strips(star=True),
    drawings.paired_bars(LEAST),
    drawings.plain_bars(LEAST),
    drawings.trend_lines(),
    drawings.share_bars(LEAST),
    drawings.count_bars(),
    drawings.band_keys(),
)


@FEW
@given(charts=WIDE)
def test_charts_of_the_whole_width(charts: tuple[Chart, ...]) -> None:
    found = list(pictures(document(list(charts))))
    for picture, chart in zip(found, charts, strict=True):
        check(picture, chart)
        assert [s for s in picture.outside() if not isinstance(s, Word)] == []


@FEW
@given(charts=NARROW)
def test_charts_of_half_the_width(charts: tuple[Chart, ...]) -> None:
    found = list(pictures(document(list(charts), halves=True)))
    for picture, chart in zip(found, charts, strict=True):
        assert 360 < picture.width < 370
        check(picture, chart)
        assert [s for s in picture.outside() if not isinstance(s, Word)] == []


@FEW
@given(charts=st.lists(drawings.trend_lines(), min_size=3, max_size=3))
def test_trend_lines_break_in_the_pdf(charts: list[TrendLines]) -> None:
    for picture, chart in zip(pictures(document(list(charts), halves=True)), charts, strict=True):
        check_breaks(picture, chart)
