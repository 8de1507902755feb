"""What one place counted of a wave, as a file that can travel, and the sum of several: they add, or are refused.

A counts file holds whole numbers and no respondent's record. It is confidential all the same: in it nothing is
withheld, and a cell of one person says what that person answered.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from stocktake.files import write_file
from stocktake.problems import StocktakeError
from stocktake.survey.counts import Counts, Ints, Layout, PairBlock, PairTables
from stocktake.survey.fieldwork import Fieldwork
from stocktake.survey.findings import SCHEMA
from stocktake.survey.instrument import Method, Survey

# Raised with every change of what is in the file.
FORMAT = 2
# Raised with every change of what the program counts, as of a rule that sets rows aside.
RULES = 1
# The settings that decide what is counted; all others may change afterwards.
COUNTING = ("minimum_answers", "maximum_rejected", "routed_past", "unclassified")
LABEL = "Confidential: counts of respondents in which no small number is withheld. Keep it as you keep the respondents' data."


@dataclass(frozen=True)
class Coarsened:
    """That cells with fewer than `minimum` respondents were merged into others, and what that does to scores.

    `people` of `cells` cells were moved; no question's score, of all respondents or of a service group, moves by more than
    `largest` points when `reference` is what organisations are standardised to.
    """

    minimum: int
    people: int
    cells: int
    largest: float
    reference: str


@dataclass(frozen=True)
class CountedWave:
    """The counts of a wave with who took part, what was found, and what they were counted from and by.

    `sources` are the SHA-256 of the files of respondents; `instrument` is that of what was asked, and `rules` are the
    settings that decide what is counted.
    """

    survey: str
    instrument: str
    rules: Mapping[str, Any]
    year: int
    sources: tuple[str, ...]
    asked: frozenset[str]
    rows: int
    set_aside: int
    counts: Counts
    fieldwork: Fieldwork
    findings: pl.DataFrame
    coarsened: Coarsened | None = None
    rules_version: int = RULES

    def save(self, path: Path) -> None:
        """Write the file; its findings have no row of their own."""
        layout = self.counts.layout
        head = {
            "label": LABEL,
            "format": FORMAT,
            "rules_version": self.rules_version,
            "made_by": f"stocktake {version('stocktake')}",
            "survey": self.survey,
            "instrument": self.instrument,
            "rules": dict(self.rules),
            "year": self.year,
            "sources": list(self.sources),
            "asked": sorted(self.asked),
            "rows": self.rows,
            "set_aside": self.set_aside,
            "layout": {k: getattr(layout, k) for k in ("organisations", "groups", "cells", "questions", "sections")},
            "groups": list(self.fieldwork.groups),
            "coarsened": None if self.coarsened is None else asdict(self.coarsened),
            "blocks": len(self.counts.blocks),
        }

        def content(temporary: Path) -> None:
            # What NumPy's own archives are, written piece by piece: the pairs of all organisations may not fit in memory.
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, array in self._arrays(head):
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, array, allow_pickle=False)

        write_file(path, content)

    def _arrays(self, head: Mapping[str, Any]) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the file holds, by name; of the pairs one block at a time is in memory."""
        yield "head", np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
        yield "findings", frame_bytes(summed(self.findings))
        yield "respondents", self.counts.respondents
        for i, answers in enumerate(self.counts.answers):
            yield f"answers_{i}", answers
        for name in FIELDWORK:
            yield name, getattr(self.fieldwork, name)
        for b, block in enumerate(self.counts.blocks):
            yield f"organisations_{b}", block.organisations
            for i, pairs in enumerate(block.load()):
                yield f"pair_{b}_{i}", pairs

    @classmethod
    def load(cls, path: Path) -> CountedWave:
        """Read a counts file; raises StocktakeError for one that is none, is damaged, or is of another format."""
        if not path.is_file():
            raise StocktakeError(f"{path}: no such file.")
        try:
            with np.load(path, allow_pickle=False) as file:
                head = json.loads(file["head"].tobytes().decode())
                if head["format"] != FORMAT:
                    raise StocktakeError(
                        f"{path.name}: has format {head['format']} ({head['made_by']}); this program reads format {FORMAT}. "
                        "Count again, or use the same version everywhere."
                    )
                return cls._of(head, file, path)
        except DAMAGED:
            raise StocktakeError(f"{path.name}: {NO_COUNTS}.") from None

    @classmethod
    def _of(cls, head: Mapping[str, Any], file: Mapping[str, Any], path: Path) -> CountedWave:
        told = head["layout"]
        layout = Layout(
            tuple(told["organisations"]),
            tuple(told["groups"]),
            told["cells"],
            tuple((c, n) for c, n in told["questions"]),
            tuple((c, tuple(m)) for c, m in told["sections"]),
        )
        answers = tuple(file[f"answers_{i}"] for i in range(len(layout.questions)))
        shape = (len(layout.organisations), layout.strata)
        _check_shapes([file["respondents"], *answers], [shape, *((*shape, n) for _, n in layout.questions)])
        if any(not np.array_equal(own.sum(axis=2), file["respondents"]) for own in answers):
            raise ValueError("answers of others than the respondents")
        blocks, stand = [], np.zeros(shape[0], dtype=np.int64)
        for b in range(head["blocks"]):
            own = file[f"organisations_{b}"]
            if own.ndim != 1 or own.dtype.kind != "i" or not np.isin(own, np.arange(shape[0])).all():
                raise ValueError("organisations that are not in the layout")
            np.add.at(stand, own, 1)
            # Read once now, so that a damaged file is refused before anything is made of it.
            tables = _pairs(file, layout, b, own.size)
            for (first, _), table in zip(layout.pairs, tables, strict=True):
                if not np.array_equal(table.sum(axis=3), answers[first][own]):
                    raise ValueError("pairs of others than have answered")
            blocks.append(PairBlock(own, partial(_load_pairs, path, _state(path), layout, b, own.size)))
        if (stand > 1).any() or (file["respondents"].sum(axis=1)[stand == 0] > 0).any():
            raise ValueError("organisations without pairs, or with pairs twice")
        counts = Counts.of(layout, file["respondents"], answers, tuple(blocks))
        made = head["coarsened"]
        return cls(
            head["survey"],
            head["instrument"],
            head["rules"],
            head["year"],
            tuple(head["sources"]),
            frozenset(head["asked"]),
            head["rows"],
            head["set_aside"],
            counts,
            Fieldwork(tuple(head["groups"]), *(file[k] for k in FIELDWORK)),
            frame_of(file["findings"]).cast(SCHEMA),  # type: ignore[arg-type]
            None if made is None else Coarsened(**made),
            head["rules_version"],
        )

    def for_organisations(self, organisations: Sequence[str]) -> CountedWave:
        """The same with these organisations in this order; those that it does not have took no part."""
        layout = self.counts.layout
        own = {code: i for i, code in enumerate(layout.organisations)}
        place = np.array([own.get(code, -1) for code in organisations], dtype=np.int64)
        new = {code: i for i, code in enumerate(organisations)}
        # Nobody has no pairs, so that an organisation that several parts list has them in one block alone.
        there = self.counts.respondents.sum(axis=1) > 0
        moved = np.array(
            [new.get(code, -1) if some else -1 for code, some in zip(layout.organisations, there, strict=True)],
            dtype=np.int64,
        )

        def spread(values: Any, axis: int = 0, absent: int = 0) -> Any:
            out = np.take(values, np.maximum(place, 0), axis=axis)
            np.moveaxis(out, axis, 0)[place < 0] = absent
            return out

        # A file of those that it does not have at all was not read: there is nobody in it, rather than somebody unknown.
        unknown = -1 if (self.fieldwork.invited < 0).all() else 0
        return replace(
            self,
            counts=Counts(
                replace(layout, organisations=tuple(organisations)),
                spread(self.counts.respondents),
                spread(self.counts.table, 1),
                tuple(_placed(block, moved) for block in self.counts.blocks),
            ),
            fieldwork=Fieldwork(
                self.fieldwork.groups,
                spread(self.fieldwork.invited, 1, unknown),
                *(spread(getattr(self.fieldwork, k), 1) for k in FIELDWORK[1:]),
            ),
        )

    def present(self) -> tuple[str, ...]:
        """The organisations that somebody answered for, or was invited for."""
        there = (self.counts.respondents.sum(axis=1) > 0) | (self.fieldwork.invited[0] > 0)
        return tuple(c for c, here in zip(self.counts.layout.organisations, there, strict=True) if here)


FIELDWORK = ("invited", "undeliverable", "died", "completed")


def frame_bytes(frame: pl.DataFrame) -> NDArray[np.uint8]:
    """A table as an array of bytes, for a NumPy archive."""
    held = io.BytesIO()
    frame.write_ipc(held)
    return np.frombuffer(held.getvalue(), dtype=np.uint8)


def frame_of(content: NDArray[np.uint8]) -> pl.DataFrame:
    """The table that `frame_bytes` gave."""
    return pl.read_ipc(io.BytesIO(content.tobytes()))


# What reading a damaged file may end in: the zip's own errors, those of what it says it holds, and of too much of it.
DAMAGED = (
    OSError,
    KeyError,
    ValueError,
    TypeError,
    EOFError,
    RuntimeError,
    MemoryError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
    pl.exceptions.PolarsError,
)
NO_COUNTS = "not a file of counts, or a damaged one"


def _check_shapes(found: Sequence[NDArray[Any]], expected: Sequence[tuple[int, ...]]) -> None:
    """Raise ValueError where a table is not of the shape that its layout says, or is none of counts."""
    if [t.shape for t in found] != list(expected) or any(
        t.dtype.kind != "i" or (t.size and t.min() < 0) for t in found
    ):
        raise ValueError("tables of another shape")


def _pairs(file: Mapping[str, Any], layout: Layout, block: int, organisations: int) -> PairTables:
    """The pairs of one block of a file; raises ValueError where they are not of the shape that its layout says."""
    sizes = [n for _, n in layout.questions]
    tables = tuple(file[f"pair_{block}_{i}"] for i in range(len(layout.pairs)))
    _check_shapes(tables, [(organisations, layout.strata, sizes[a], sizes[b]) for a, b in layout.pairs])
    return tables


def _state(path: Path) -> tuple[int, int, int]:
    """What changes where a file is written anew or replaced."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _load_pairs(path: Path, state: tuple[int, int, int], layout: Layout, block: int, organisations: int) -> PairTables:
    try:
        if _state(path) != state:
            raise ValueError("another file")
        with np.load(path, allow_pickle=False) as file:
            return _pairs(file, layout, block, organisations)
    except DAMAGED:
        raise StocktakeError(f"{path.name}: {NO_COUNTS}, or changed since it was opened.") from None


def _placed(block: PairBlock, moved: Ints) -> PairBlock:
    """A block with its organisations where they are moved to, without those that are moved nowhere (-1)."""
    to = moved[block.organisations]
    there = np.flatnonzero(to >= 0)
    return replace(block, organisations=to[there]).with_tables(partial(_rows, there))


def _rows(rows: Ints, tables: PairTables) -> PairTables:
    return tables if tables and rows.size == len(tables[0]) else tuple(t[rows] for t in tables)


def asked_digest(survey: Survey) -> str:
    """The SHA-256 of what was asked: an instrument without its method."""
    return hashlib.sha256(survey.model_dump_json(exclude={"method"}).encode()).hexdigest()


def counting_rules(method: Method) -> dict[str, Any]:
    """The settings that decide what is counted."""
    return {name: getattr(method, name) for name in COUNTING}


def summed(findings: pl.DataFrame) -> pl.DataFrame:
    """Findings without their rows: one for each check, file and column, with how often it was met; schema SCHEMA."""
    keys = ["year", "check", "file", "column", "expected", "action", "blocks"]
    several = findings.filter(pl.col("row") > 0).group_by(keys, maintain_order=True).len()
    times = pl.format("{} rows", pl.col("len")) if several.height else pl.lit("")
    alone = several.with_columns(row=pl.lit(0, pl.Int64), value=times)
    return pl.concat([findings.filter(pl.col("row") == 0), alone.select(list(SCHEMA))])


def misfits(name: str, part: CountedWave, survey: Survey, year: int) -> Iterator[str]:
    """Why counts do not belong to a survey's wave, as sentences."""
    if part.survey != survey.code or part.instrument != asked_digest(survey):
        other = f"the survey {part.survey!r}" if part.survey != survey.code else "another version of the instrument"
        yield f"{name}: counted for {other}; expected {survey.code!r} as it is here."
    if part.rules_version != RULES:
        yield f"{name}: counted by version {part.rules_version} of the rules; this program has version {RULES}."
    for setting, value in counting_rules(survey.method).items():
        if part.rules.get(setting) != value:
            yield f"{name}: counted with {setting} {part.rules.get(setting)!r}; expected {value!r}, as it is here."
    if part.year != year:
        yield f"{name}: counted of {part.year}; expected {year}."


def combine(parts: Sequence[tuple[str, CountedWave]]) -> CountedWave:
    """The sum of counts files, each with its name; organisations in the order in which they are met.

    Raises StocktakeError, with everything that is wrong, where they are not of the same instrument, rules and year, where
    two were counted from the same file, or where an organisation is in two of them.
    """
    if not parts:
        raise StocktakeError("no counts files; expected at least one.")
    name, first = parts[0]
    problems = [
        f"{other}: {what} differs from that of {name}; counts of different {many} do not add."
        for other, part in parts[1:]
        for what, many, of in ALIKE
        if of(part) != of(first)
    ]
    for what, of_part in (("the file with SHA-256 {}", lambda p: p.sources), ("organisation {}", CountedWave.present)):
        seen: dict[str, str] = {}
        for other, part in parts:
            for one in of_part(part):
                if one in seen:
                    shown = what.format(f"{one[:12]}..." if len(one) == 64 else one)
                    problems.append(f"{other}: {shown} is counted in {seen[one]} already; nobody may be counted twice.")
                seen.setdefault(one, other)
    if problems:
        raise StocktakeError(problems)
    organisations = tuple(dict.fromkeys(c for _, p in parts for c in p.counts.layout.organisations))
    return _sum([part.for_organisations(organisations) for _, part in parts])


# What must be alike in all parts: its name, the plural of what differs, and the value.
ALIKE: tuple[tuple[str, str, Any], ...] = (
    ("the instrument", "instruments", lambda p: (p.survey, p.instrument)),
    ("the version of the rules", "rules", lambda p: p.rules_version),
    ("a setting of what is counted", "settings", lambda p: dict(p.rules)),
    ("the year", "years", lambda p: p.year),
    ("that there is a sample file", "kinds", lambda p: bool((p.fieldwork.invited >= 0).any())),
)


def _sum(parts: Sequence[CountedWave]) -> CountedWave:
    first = parts[0]
    counts = first.counts
    for part in parts[1:]:
        counts = counts + part.counts
    known = bool((first.fieldwork.invited >= 0).any())
    totals = {k: sum(getattr(p.fieldwork, k) for p in parts) for k in FIELDWORK}
    invited: Ints = totals["invited"] if known else first.fieldwork.invited
    made = [p.coarsened for p in parts if p.coarsened is not None]
    return replace(
        first,
        sources=tuple(s for p in parts for s in p.sources),
        asked=frozenset(q for p in parts for q in p.asked),
        rows=sum(p.rows for p in parts),
        set_aside=sum(p.set_aside for p in parts),
        counts=counts,
        fieldwork=Fieldwork(
            first.fieldwork.groups, invited, totals["undeliverable"], totals["died"], totals["completed"]
        ),
        findings=pl.concat([p.findings for p in parts]),
        coarsened=_both(made) if made else None,
    )


def _both(made: Sequence[Coarsened]) -> Coarsened:
    """What several coarsened parts say together: an organisation is in one of them, so that no score moves further."""
    return Coarsened(
        min(c.minimum for c in made),
        sum(c.people for c in made),
        sum(c.cells for c in made),
        max(c.largest for c in made),
        "; ".join(dict.fromkeys(c.reference for c in made)),
    )
