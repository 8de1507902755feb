"""How pages flow over slides: nothing below the foot of a slide, and no slide that is nearly empty for no reason."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stocktake.render.deck.flow import halves, height_of_block, slides_of, split_columns
from stocktake.render.deck.master import BODY_HEIGHT, BODY_WIDTH, LEFT
from stocktake.render.deck.words import Run, paragraph
from stocktake.reports.model import Block, Bullets, Columns, Page, Table, Text

LINE = Text(("A sentence that is a line or so of a slide, and says what follows.",))


def table(rows: int) -> Table:
    return Table("Questions", ("Question", "Score"), tuple((f"Q{i}", "7.0") for i in range(rows)))


def rows_of(blocks: list[Block]) -> list[str]:
    return [str(r[0]) for b in blocks if isinstance(b, Table) for r in b.rows]


def test_a_long_table_begins_below_what_introduces_it() -> None:
    slides = slides_of(Page("method", "All questions", (LINE, table(80)), "all"))
    blocks = [[b for b, _ in columns[0].blocks] for columns, _ in slides]
    assert isinstance(blocks[0][0], Text) and len(rows_of(blocks[0])) > 5
    assert rows_of([b for own in blocks for b in own]) == [f"Q{i}" for i in range(80)]


@given(st.integers(0, 30), st.integers(1, 80))
def test_no_slide_holds_more_than_fits(lines: int, rows: int) -> None:
    for columns, _ in slides_of(Page("method", "All questions", (*[LINE] * lines, table(rows)), "all")):
        for column in columns:
            assert 0 < sum(h for _, h in column.blocks) <= BODY_HEIGHT


@given(st.sampled_from((0.5, 1.0, 1.4)), st.integers(2, 60))
def test_what_is_left_of_the_second_column_begins_at_the_left(ratio: float, many: int) -> None:
    whole = Columns((LINE,), (Bullets((LINE,) * many), *[LINE] * many), ratio)
    narrow = halves(whole, LEFT, BODY_WIDTH)[1].w
    first, *more = split_columns(whole, BODY_WIDTH, BODY_HEIGHT)
    assert first.left and first.right
    for rest in more:
        left, right = halves(rest, LEFT, BODY_WIDTH)
        assert left.blocks and not right.blocks
        assert abs(left.w - narrow) < 1e-9 and left.x == LEFT
        assert height_of_block(rest, BODY_WIDTH) <= BODY_HEIGHT


def test_paragraphs_have_no_space_that_heights_do_not_count() -> None:
    """Body text of the master has space before each paragraph: over seventeen of them half an inch, into the footer."""
    assert '<a:spcBef><a:spcPts val="0"/></a:spcBef><a:spcAft>' in paragraph([Run("words", 14)])
