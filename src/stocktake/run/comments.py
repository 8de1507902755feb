"""The comments of a folder: read, screened and counted, with a review file for a human and the quotes that were approved."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from stocktake.comments.review import (
    Comment,
    Decision,
    Quote,
    cell,
    decisions,
    quotes,
    review_rows,
    review_text,
)
from stocktake.comments.screening import screen
from stocktake.comments.themes import ThemeCounts, count_themes, library_codebook, load_codebook, safe_total
from stocktake.definitions import read_text
from stocktake.files import write_file, writing
from stocktake.organisations import Organisation, read_organisations
from stocktake.problems import StocktakeError, nearest
from stocktake.run.settings import Settings, WaveFiles, load_instrument, read_settings
from stocktake.survey.coding import text as words_of
from stocktake.survey.tables import Table, open_table

OUT = "comments"
REVIEW = "review.csv"
# A review file has a comment a row; 200 MB hold some 400,000.
LARGEST_REVIEW = 200_000_000
LONGEST = 20_000


@dataclass(frozen=True)
class CommentRun:
    """What was found: how many comments, how many have something flagged, how many are approved, and warnings."""

    comments: int
    flagged: int
    reviewed: int
    quotes: int
    warnings: tuple[str, ...]
    paths: tuple[Path, ...]


def make_comments(folder: Path) -> CommentRun:
    """Screen and count the comments of a folder's latest wave into folder/comments/.

    Decisions in a review file that is there are kept. Raises StocktakeError for what cannot be read, and where a review
    file has a decision that is none.
    """
    settings = read_settings(folder)
    survey = load_instrument(settings, folder)
    wave = next((w for w in settings.waves if w.year == survey.year), None)
    if wave is None or wave.comments is None:
        raise StocktakeError(
            f"{folder / 'survey.yaml'}, waves: no file of comments for {survey.year}; add comments: FILE to the wave."
        )
    organisations = read_organisations(folder / (wave.organisations or settings.organisations))
    book = library_codebook() if settings.themes is None else load_codebook(folder / settings.themes)
    comments = _read(folder, wave, settings, organisations)
    minimum = settings.disclosure.minimum_count
    counts = count_themes(book, [o.code for o in organisations], [(c.organisation, c.text) for c in comments], minimum)
    out = folder / OUT
    with writing(folder):
        decided = _decided(out / REVIEW)
        approved = quotes(comments, decided, {o.code: o.name for o in organisations})
        known = {c.check for c in comments}
        # A decision about a comment that was changed since does not count, and is not lost either.
        lost = [check for check, d in decided.items() if check not in known and d.decision]
        themes = {c.number: [t.code for t in book.themes if t.found_in(c.text)] for c in comments}
        rows = list(review_rows(comments, themes, decided, original=settings.show_values))
        paths = [
            write_file(out / REVIEW, review_text(rows, original=settings.show_values)),
            write_file(out / "themes.csv", _theme_text(counts, organisations, minimum)),
            write_file(out / "quotes.csv", _quote_text(approved)),
        ]
        if lost:
            old = io.StringIO()
            writer = csv.writer(old, lineterminator="\n")
            writer.writerow(("check", "decision", "quote", "reviewer"))
            writer.writerows((c, decided[c].decision, decided[c].quote, decided[c].reviewer) for c in lost)
            paths.append(write_file(out / "decisions-without-comment.csv", old.getvalue()))
    warnings = [
        f"{OUT}/quotes.csv, quote {i}: approved by {q.reviewer} with {', '.join(q.flags)} in it; is that meant?"
        for i, q in enumerate(approved, start=1)
        if q.flags
    ]
    if lost:
        warnings.append(
            f"Decisions about comments that are no longer there or were changed since: {len(lost)}. They are kept in "
            f"{OUT}/decisions-without-comment.csv and count again if the comment comes back."
        )
    reviewed = sum(bool(d.decision) for c, d in decided.items() if c in known)
    flagged = sum(bool(c.flags) for c in comments)
    return CommentRun(len(comments), flagged, reviewed, len(approved), tuple(warnings), tuple(paths))


def _read(folder: Path, wave: WaveFiles, settings: Settings, organisations: tuple[Organisation, ...]) -> list[Comment]:
    """The comments that are not blank; raises StocktakeError with every row that cannot be used."""
    assert wave.comments is not None
    table = open_table(folder / wave.comments, wave.comments)
    frame = _columns(table)
    names = {o.code: o.name for o in organisations}
    texts = words_of(frame["comment"])
    own = {n: words_of(frame[n]).to_list() for n in ("organisation", "question", "respondent") if n in frame.columns}
    blank: list[str | None] = [None] * frame.height
    problems: list[str] = []
    out: list[Comment] = []
    seen: dict[tuple[str | None, str | None, str], int] = {}
    places = (own["organisation"], own.get("question", blank), own.get("respondent", blank), texts.to_list())
    for row, (organisation, question, respondent, text) in enumerate(zip(*places, strict=True), start=2):
        if text is None:
            continue
        if organisation not in names:
            problems.append(
                f"{wave.comments}, row {row}, column organisation: no organisation of the list; expected one of its codes."
            )
        elif len(text) > LONGEST:
            problems.append(
                f"{wave.comments}, row {row}, column comment: {len(text):,} characters; expected at most {LONGEST:,}."
            )
        else:
            flags = screen(text, [names[organisation]])
            alike = (respondent, organisation, text)
            seen[alike] = seen.get(alike, -1) + 1
            out.append(Comment(row - 1, organisation, question or "", text, respondent or "", flags, seen[alike]))
    if problems:
        raise StocktakeError(problems)
    return out


def _columns(table: Table) -> pl.DataFrame:
    missing = [c for c in ("organisation", "comment") if c not in table.columns]
    if missing:
        raise StocktakeError(
            [f"{table.name}, row 1: column {c!r} is missing.{nearest(c, table.columns)}" for c in missing]
        )
    return table.frame()


def _decided(path: Path) -> dict[str, Decision]:
    """The decisions of a review file, and of those kept beside it."""
    out: dict[str, Decision] = {}
    problems: list[str] = []
    for file in (path.with_name("decisions-without-comment.csv"), path):
        if file.is_file():
            found, wrong = decisions(read_text(file, LARGEST_REVIEW), f"{OUT}/{file.name}")
            out |= found
            problems += wrong
    if problems:
        raise StocktakeError(problems)
    return out


def _theme_text(counts: ThemeCounts, organisations: tuple[Organisation, ...], minimum: int) -> str:
    """themes.csv: comments of each organisation and of all by theme; `[c]` where a count is withheld."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("organisation", "organisation_name", "comments", *(t.code for t in counts.themes)))
    many = counts.comments.copy()
    for i, organisation in enumerate(organisations):
        cells = ["[c]" if h else str(n) for n, h in zip(counts.count[i], counts.hidden[i], strict=True)]
        few = 0 < many[i] < minimum
        writer.writerow((organisation.code, organisation.name, "[c]" if few else str(many[i]), *cells))
    totals = [
        str(int(counts.count[:, t].sum())) if safe_total(counts, t, minimum) else "[c]"
        for t in range(len(counts.themes))
    ]
    small = (many > 0) & (many < minimum)
    whole = "[c]" if small.any() else str(int(many.sum()))
    writer.writerow(("all", "All together", whole, *totals))
    return out.getvalue()


def _quote_text(approved: Sequence[Quote]) -> str:
    """quotes.csv: what may be quoted; no cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("organisation", "question", "quote", "approved_by"))
    writer.writerows(tuple(map(cell, (q.organisation, q.question, q.text, q.reviewer))) for q in approved)
    return out.getvalue()
