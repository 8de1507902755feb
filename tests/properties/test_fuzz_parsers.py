"""Sound files with a few bytes changed: each parser reads them or says why not; never a traceback, never a hang.

`make test` tries a few mutations of each kind, `make fuzz` many (STOCKTAKE_FUZZ says how many).
"""

from __future__ import annotations

import io
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from helpers import small_survey
from small_trends import definition
from stocktake.comments.review import decisions
from stocktake.comments.themes import load_codebook
from stocktake.definitions import read_text
from stocktake.organisations import read_organisations
from stocktake.problems import StocktakeError
from stocktake.run.settings import read_settings
from stocktake.survey.instrument import Method, Survey, load
from stocktake.survey.tables import open_table
from stocktake.survey.wave import read_wave
from stocktake.survey.workbooks import read_workbook
from stocktake.trends.definition import read_trends

ROUNDS = int(os.environ.get("STOCKTAKE_FUZZ", "12"))
ODD = (
    b"",
    b"\x00",
    b"\xff",
    b'"',
    b",",
    b";",
    b"\n",
    b"-2147483648",
    b"1e309",
    b"\xe2\x80\xae",
    b"&",
    b"*",
    b"[",
    b"{",
    b"<!--",
)


def survey() -> Survey:
    return small_survey(
        {"S01": [3, 3]}, groups=("A", "B"), method=Method(minimum_answers=0, maximum_rejected=1, minimum_base=1)
    )


def answers() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "respondent": [f"r{i}" for i in range(40)],
            "organisation": [f"T{1 + i % 2}" for i in range(40)],
            "service": ["A" if i % 3 else "B" for i in range(40)],
            "kind": [1 + i % 2 for i in range(40)],
            "Q1": [1 + i % 3 for i in range(40)],
            "Q2": [None if i % 9 == 0 else 1 + i % 3 for i in range(40)],
        }
    )


def sound(kind: str, path: Path) -> bytes:
    frame = answers()
    if kind == "sav":
        import pyreadstat

        pyreadstat.write_sav(frame.to_pandas(), str(path))
    elif kind == "xlsx":
        frame.write_excel(path)
    elif kind == "csv":
        frame.write_csv(path)
    elif kind == "parquet":
        frame.write_parquet(path)
    elif kind == "instrument":
        path.write_text(yaml.safe_dump(survey().model_dump(mode="json", by_alias=True, exclude_defaults=True)))
    elif kind == "organisations":
        path.write_text("code,name,kind,region\n" + "".join(f"T{i},Trust {i},acute,North\n" for i in range(9)))
    elif kind == "trends":
        path.write_text(yaml.safe_dump(definition()), "utf-8")
    elif kind == "themes":
        path.write_text("themes:\n- {code: a, title: A, words: [wait*, too long], not: [can't wait]}\n", "utf-8")
    elif kind == "review":
        path.write_text("check,decision,quote,reviewer\nabc,approve,'=1,A\ndef,,,\n", "utf-8")
    elif kind == "settings":
        path.write_text(
            "instrument: cmh_2024\nwaves:\n  - {year: 2024, responses: a.csv, sample: b.csv}\ncontact: x\n"
            "settings: {cap: 3}\ndisclosure: {decimals: 1}\n"
        )
    else:
        path.write_bytes(published(kind))
    return path.read_bytes()


def published(ending: str) -> bytes:
    from stocktake.render.ods import ods_bytes
    from stocktake.render.xlsx import xlsx_bytes
    from stocktake.reports.published_layout import published_layout
    from stocktake.run.benchmark import benchmark

    run = benchmark(instrument=survey(), responses=answers(), settings={"draws": 0})
    book = published_layout(run.public, run.survey)
    return xlsx_bytes(book) if ending == "published.xlsx" else ods_bytes(book)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """One to four changes: bytes replaced, cut, doubled or moved."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(out) + 1)
        length = rng.choice((1, 1, 2, 8, 64))
        choice = rng.randrange(5)
        if choice == 0:
            out[at : at + length] = rng.choice(ODD)
        elif choice == 1:
            out[at : at + 1] = bytes([rng.randrange(256)])
        elif choice == 2:
            out[at:at] = out[at : at + length] * rng.choice((1, 2, 50))
        elif choice == 3:
            del out[at:]
        else:
            out[at:at] = rng.choice(ODD)
        if not out:
            break
    return bytes(out)


def inside_zip(data: bytes, rng: random.Random) -> bytes:
    """A zip file with one of its parts mutated, so that what lies behind the archive's own checks is reached."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        chosen = rng.choice([n for n in old.namelist() if n.endswith(".xml")])
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, mutated(part, rng) if name == chosen else part)
    return out.getvalue()


def read_answers(path: Path) -> None:
    wave = read_wave(survey(), 2024, ("T1", "T2"), open_table(path), None, survey().method)
    if wave.counts is not None:
        # Nothing is lost without a finding: every row is counted or set aside.
        assert int(wave.counts.respondents.sum()) + wave.set_aside == wave.rows
    wave.findings.write_csv()


READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "csv": ("a.csv", read_answers),
    "parquet": ("a.parquet", read_answers),
    "sav": ("a.sav", read_answers),
    "xlsx": ("a.xlsx", read_answers),
    "instrument": ("own.yaml", load),
    "settings": ("survey.yaml", lambda path: read_settings(path.parent)),
    "organisations": ("organisations.csv", read_organisations),
    "trends": ("trends.yaml", lambda path: read_trends(path.parent)),
    "themes": ("themes.yaml", load_codebook),
    "review": ("review.csv", lambda path: decisions(read_text(path), path.name)),
    "published.xlsx": ("published.xlsx", read_workbook),
    "published.ods": ("published.ods", read_workbook),
}


@pytest.mark.parametrize("kind", READERS)
def test_mutated_files_are_read_or_refused_with_a_sentence(tmp_path: Path, kind: str) -> None:
    name, read = READERS[kind]
    path = tmp_path / name
    data = sound(kind, path)
    read(path)
    for number in range(ROUNDS):
        rng = random.Random(f"{kind} {number}")
        zipped = data[:2] == b"PK" and number % 3
        path.write_bytes(inside_zip(data, rng) if zipped else mutated(data, rng))
        try:
            read(path)
        except StocktakeError as error:
            assert str(error).strip()
        except BaseException as error:
            raise AssertionError(f"{kind}, mutation {number}: {type(error).__name__}") from error
