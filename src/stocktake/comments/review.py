"""The review file: each comment as it may be read, what a human decided about it, and what may be quoted."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stocktake.comments.screening import Flag, redacted, screen
from stocktake.problems import nearest

COLUMNS = ("comment", "check", "organisation", "question", "flags", "themes", "text", "decision", "quote", "reviewer")
DECISIONS = ("approve", "withhold", "")
ORIGINAL = "original"
# What spreadsheets take for a formula at the beginning of a cell.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Comment:
    """One comment: its number in the file, where it is from, its words and what in them may identify somebody."""

    number: int
    organisation: str
    question: str
    text: str
    respondent: str
    flags: tuple[Flag, ...]
    # Which of several that are alike to the letter.
    repeat: int = 0

    @property
    def check(self) -> str:
        """By which a comment that was changed after its review is noticed."""
        whole = f"{self.respondent}\n{self.organisation}\n{self.text}\n{self.repeat}"
        return hashlib.sha256(whole.encode()).hexdigest()[:12]

    @property
    def safe(self) -> str:
        """The comment with everything flagged cut out."""
        return redacted(self.text, self.flags)


@dataclass(frozen=True)
class Decision:
    """What a human decided: `approve` or `withhold` (empty: not yet), the words to quote if not the redacted ones, and who."""

    decision: str
    quote: str
    reviewer: str


def review_rows(
    comments: Sequence[Comment], themes: Mapping[int, Sequence[str]], decided: Mapping[str, Decision], *, original: bool
) -> Iterator[dict[str, str]]:
    """Rows of the review file, with decisions kept; `original` adds the words as they were, for one's own machine."""
    for comment in comments:
        known = decided.get(comment.check, Decision("", "", ""))
        row = {
            "comment": str(comment.number),
            "check": comment.check,
            "organisation": comment.organisation,
            "question": comment.question,
            "flags": ", ".join(sorted({f.kind for f in comment.flags})),
            "themes": ", ".join(themes.get(comment.number, ())),
            "text": comment.safe,
            "decision": known.decision,
            "quote": known.quote,
            "reviewer": known.reviewer,
        }
        yield row | ({ORIGINAL: comment.text} if original else {})


def review_text(rows: Sequence[Mapping[str, str]], *, original: bool) -> str:
    """The review file as CSV; no cell is a formula."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [*COLUMNS, *([ORIGINAL] if original else [])], lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: cell(v) for k, v in row.items()} for row in rows)
    return out.getvalue()


def cell(words: str) -> str:
    """Words as a cell that no spreadsheet takes for a formula."""
    return f"'{words}" if words.startswith(FORMULA) else words


def decisions(text: str, file: str) -> tuple[dict[str, Decision], list[str]]:
    """Decisions by a comment's check from a review file, and every problem of it."""
    try:
        first = text.partition("\n")[0]
        # Excel saves with whatever separates lists where it runs.
        table = list(csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count), strict=True))
    except csv.Error as error:
        return {}, [f"{file}: cannot be read as CSV ({error})."]
    header = table[0] if table else []
    needed = ("check", "decision", "quote", "reviewer")
    missing = [c for c in needed if c not in header]
    if missing:
        return {}, [f"{file}, row 1: column {c!r} is missing." for c in missing]
    out: dict[str, Decision] = {}
    problems = []
    for number, cells in enumerate(table[1:], start=2):
        row = {**dict.fromkeys(needed, ""), **dict(zip(header, cells, strict=False))}
        decision = row["decision"].strip().casefold()
        reviewer = row["reviewer"].strip().removeprefix("'")
        quote = row["quote"].strip().removeprefix("'")
        if decision not in DECISIONS:
            problems.append(
                f"{file}, row {number}, column decision: a word that is none of approve and withhold.{nearest(decision, DECISIONS[:2])}"
            )
        elif decision == "approve" and not reviewer:
            problems.append(
                f"{file}, row {number}, column reviewer: nobody; an approved comment needs who approved it."
            )
        else:
            made = Decision(decision, quote, reviewer)
            if out.setdefault(row["check"].strip(), made) != made:
                problems.append(f"{file}, row {number}: another row decides otherwise about the same comment.")
    return out, problems


@dataclass(frozen=True)
class Quote:
    """A comment that may be quoted: where it is from, its words, and who approved it; `flags` are kinds still in it."""

    organisation: str
    question: str
    text: str
    reviewer: str
    flags: tuple[str, ...]


def quotes(comments: Sequence[Comment], decided: Mapping[str, Decision], known: Mapping[str, str]) -> list[Quote]:
    """Every approved comment, in the reviewer's words or with what was flagged cut out; `known` has organisations' names."""
    out = []
    for comment in comments:
        decision = decided.get(comment.check)
        if decision is None or decision.decision != "approve":
            continue
        text = decision.quote or comment.safe
        # The brackets that stand for what was cut out are no names.
        left = screen(text, [known.get(comment.organisation, ""), *(f.kind for f in comment.flags)])
        kinds = tuple(sorted({f.kind for f in left}))
        out.append(Quote(comment.organisation, comment.question, text, decision.reviewer, kinds))
    return out
