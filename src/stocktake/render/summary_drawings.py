"""Drawings of all questions on one sheet, as SVG on the canvas of `render.svg`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stocktake.render.figure_drawings import shortened
from stocktake.render.theme import GRID, OUTLINE, ink_on
from stocktake.render.words import text_width
from stocktake.reports.summary_charts import VERDICT_MARKS, VERDICT_WORDS, ChangeDots, Scorecard
from stocktake.reports.words import rounded, signed

if TYPE_CHECKING:
    from stocktake.render.svg import Canvas

# The range that most scores would lie in by chance, and the whole span of scores.
EXPECTED, SPAN = "#D3DAE0", "#8896A3"
HEAD, FOOT, KEY = 15.0, 13.0, 17.0
# What is more than chance.
CLEAR = ("Increase", "Decrease")
# Labels are set no smaller than this, in points.
LEAST_LABEL = 6.8


def row_height(many: int, space: float = 408.0) -> float:
    """How high each of so many rows is, so that a sheet holds them all where it can."""
    return min(17.0, max(8.4, space / max(many, 1)))


def _scale(canvas: Canvas, start: float, plot: float, reach: float, foot: float, middle: str) -> None:
    """Upright lines at whole and half points to either side of the middle, each with its number below."""
    step = 0.5 if reach <= 1.5 else 1.0 if reach <= 5 else 2.5
    many = int(reach / step + 1e-9)
    for i in range(-many, many + 1):
        at = start + plot / 2 + i * step / reach * plot / 2
        canvas.line(at, HEAD - 2, at, foot, GRID if i else canvas.theme.average, 0.5 if i else 1.2)
        words = signed(i * step, 1 if step % 1 else 0) if i else middle
        canvas.text(at, foot + 9, words, 8, "middle", fill=canvas.theme.soft)


def scorecard(canvas: Canvas, chart: Scorecard) -> None:
    theme = canvas.theme
    row = row_height(len(chart.rows))
    size = min(9.0, row - 1.6)
    canvas.height = canvas.height or HEAD + row * len(chart.rows) + FOOT + KEY
    foot = HEAD + row * len(chart.rows)
    n_w, score_w, average_w = 36.0, 38.0, 46.0
    label_w = _label_width(canvas, [(r.label, False) for r in chart.rows], size)
    band_w, change_w = 116.0, 92.0 if chart.earlier is not None else 0.0
    start = label_w + n_w + score_w + average_w + 8
    plot = canvas.width - start - band_w - change_w - 10
    reach = chart.reach
    heads = [("Question", 0.0, "start"), ("People", label_w + n_w, "end"), ("Score", label_w + n_w + score_w, "end"),
             ("Average", start - 8, "end"), ("Band", start + plot + 10, "start")]  # fmt: skip
    if chart.earlier is not None:
        heads.append((f"Since {chart.earlier}", canvas.width - change_w + 8, "start"))
    for words, at, anchor in heads:
        canvas.text(at, 9, words, 8.5, anchor, "bold", theme.soft)
    _scale(canvas, start, plot, reach, foot, "average")
    for i, r in enumerate(chart.rows):
        top = HEAD + i * row
        base, middle = top + row / 2 + size * 0.35, top + row / 2
        if i and r.section != chart.rows[i - 1].section:
            canvas.line(0, top, canvas.width, top, GRID, 0.7)
        _label(canvas, r.label, label_w - 6, base, size)
        canvas.text(label_w + n_w, base, "-" if r.n is None else f"{r.n:,}", size, "end", fill=theme.soft)
        score = "-" if r.score is None else rounded(r.score)
        canvas.text(label_w + n_w + score_w, base, score, size, "end", "bold")
        canvas.text(start - 8, base, "-" if r.average is None else rounded(r.average), size, "end", fill=theme.soft)
        mark, word = VERDICT_MARKS[r.verdict], VERDICT_WORDS[r.verdict]
        if chart.earlier is not None:
            weight = "bold" if mark else ""
            canvas.text(
                canvas.width - change_w + 8, base, word, size, "start", weight, theme.ink if mark else theme.soft
            )
        fill = theme.band_colours[r.band - 1] if r.band else "#FFFFFF"
        if r.band:
            canvas.rect(start + plot + 10, top + 1, 22, row - 2, fill, OUTLINE, 0.4)
            canvas.marks(
                start + plot + 21, middle + size * 0.28, r.band, min(4.6, row * 0.42), ink_on(fill), across=True
            )
        words = r.band_text.removesuffix(" than expected")
        canvas.text(start + plot + 36, base, shortened(words, band_w - 28, size), size)
        if r.average is None or r.lowest is None or r.highest is None:
            continue
        average = r.average

        def x(v: float, average: float = average) -> float:
            return start + plot / 2 + (v - average) / reach * plot / 2

        if r.limits is not None:
            left = max(x(r.limits[0]), start)
            canvas.rect(left, middle - row * 0.28, min(x(r.limits[1]), start + plot) - left, row * 0.56, EXPECTED)
        canvas.line(x(r.lowest), middle, x(r.highest), middle, SPAN, 0.9)
        for end in (r.lowest, r.highest):
            canvas.line(x(end), middle - row * 0.2, x(end), middle + row * 0.2, SPAN, 0.9)
        if r.score is None:
            continue
        if r.low is not None and r.high is not None:
            canvas.line(x(r.low), middle, x(r.high), middle, theme.own, 2.1)
        canvas.diamond(x(r.score), middle, min(4.6, row * 0.4), theme.own)
    # Once more, over the bars that lie across it.
    canvas.line(start + plot / 2, HEAD - 2, start + plot / 2, foot, theme.average, 0.8)
    interval = " with its 95% interval" if chart.intervals else ""
    _key(
        canvas,
        f"Diamond: your score{interval}; grey bar: expected range; thin line: lowest to highest score of any {chart.word}; "
        "upright line: the average of each question; scale: points from it",
    )


def change_dots(canvas: Canvas, chart: ChangeDots) -> None:
    theme = canvas.theme
    row = row_height(len(chart.rows), 316.0)
    size = min(9.5, row - 1.6)
    canvas.height = canvas.height or HEAD + row * len(chart.rows) + FOOT + KEY
    foot = HEAD + row * len(chart.rows)
    year_w, difference_w, verdict_w = 38.0, 56.0, 96.0
    label_w = _label_width(canvas, [(r.label, r.verdict in CLEAR) for r in chart.rows], size)
    start = label_w + 2 * year_w + 8
    plot = canvas.width - start - difference_w - verdict_w
    reach = chart.reach
    heads = [("Question", 0.0, "start"), (str(chart.years[0]), label_w + year_w, "end"),
             (str(chart.years[1]), label_w + 2 * year_w, "end"),
             ("Change", start + plot + difference_w - 8, "end"), ("More than chance?", canvas.width - verdict_w + 4, "start")]  # fmt: skip
    for words, at, anchor in heads:
        canvas.text(at, 9, words, 8.5, anchor, "bold", theme.soft)
    _scale(canvas, start, plot, reach, foot, "no change")

    def x(v: float) -> float:
        return start + plot / 2 + v / reach * plot / 2

    for i, r in enumerate(chart.rows):
        top = HEAD + i * row
        base, middle = top + row / 2 + size * 0.35, top + row / 2
        clear = r.verdict in CLEAR
        _label(canvas, r.label, label_w - 6, base, size, clear)
        canvas.text(label_w + year_w, base, rounded(r.then), size, "end", fill=theme.soft)
        canvas.text(label_w + 2 * year_w, base, rounded(r.now), size, "end", "bold")
        if r.low is not None and r.high is not None:
            canvas.line(x(r.low), middle, x(r.high), middle, theme.own if clear else SPAN, 1.8)
        at, mark = x(r.difference), min(4.8, row * 0.4)
        if clear:
            # A triangle that points the way of the change, so that colour need not say it.
            way = -1 if r.verdict == "Increase" else 1
            canvas.polygon(
                [(at - mark, middle - way * mark * 0.8), (at + mark, middle - way * mark * 0.8), (at, middle + way * mark)],
                theme.own,
                "#FFFFFF",
            )  # fmt: skip
        else:
            canvas.circle(at, middle, mark * 0.75, "#FFFFFF", SPAN, 1.4)
        canvas.text(start + plot + difference_w - 8, base, signed(r.difference, 1), size, "end", "bold")
        canvas.text(
            canvas.width - verdict_w + 4, base, VERDICT_WORDS[r.verdict], size, "start", "bold" if clear else "",
            theme.ink if clear else theme.soft,
        )  # fmt: skip
    interval = (
        f"; line through it: {chart.level} interval of the difference"
        if chart.intervals
        else "; the source gives no intervals of these differences"
    )
    _key(canvas, f"▲▼ more than chance; ○ no clear change{interval}; scale: points")


def _wide(words: str, size: float, bold: bool) -> float:
    return text_width(words, size) * (1.08 if bold else 1.0)


def _label_width(canvas: Canvas, labels: list[tuple[str, bool]], size: float) -> float:
    """How wide the column of labels is, each with whether it is bold: as the longest, between a quarter and three eighths."""
    longest = max((_wide(words, size, bold) for words, bold in labels), default=0.0) + 8
    return min(max(longest, canvas.width / 4), canvas.width * 3 / 8)


def _label(canvas: Canvas, words: str, width: float, base: float, size: float, bold: bool = False) -> None:
    """What a row is about: in smaller letters where it is too long, and cut where it is too long for these as well."""
    # A little smaller than just fits, for sizes are written to two decimals.
    fitted = min(size, max(LEAST_LABEL, 0.999 * width / _wide(words or " ", 1.0, bold)))
    canvas.text(0, base, shortened(words, width, fitted), fitted, weight="bold" if bold else "")


def _key(canvas: Canvas, words: str) -> None:
    """What the marks mean, in the foot of the chart."""
    # A little smaller than just fits, for sizes are written to two decimals.
    size = min(8.5, 8.49 * canvas.width / text_width(words, 8.5))
    canvas.text(0, canvas.height - 3, words, size, fill=canvas.theme.soft)
