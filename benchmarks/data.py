"""The benchmarks' synthetic survey: its instrument, and Parquet files of any size."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from stocktake.survey.instrument import (
    Columns,
    Demographic,
    DemographicOption,
    Group,
    Option,
    Question,
    Section,
    Survey,
)

SIZES = (2, 2, 3, 3, 4, 4, 5, 5, 6, 6)
FOLDER = Path(__file__).parent.parent / "build" / "bench"


def survey(sizes: Sequence[int] = SIZES) -> Survey:
    """40 questions in 10 sections (or so many in each as given); 3 to 5 scored options and one that is not; 3 groups, 4 ages, 2 sexes."""
    questions, sections, number = [], [], 0
    for s, size in enumerate(sizes, start=1):
        sections.append(Section(code=f"S{s:02d}", number=s, title=f"Section {s}"))
        for _ in range(size):
            number += 1
            scored = 3 + number % 3
            options = [Option(code=k + 1, label=f"Option {k + 1}", score=10 * k / (scored - 1)) for k in range(scored)]
            options.append(Option(code=scored + 1, label="Don't know"))
            questions.append(
                Question(code=f"Q{number}", text=f"Question {number}", section=f"S{s:02d}", options=options)
            )
    coded = [
        Demographic(
            code=name, title=name, options=[DemographicOption(code=k + 1, label=f"{name} {k + 1}") for k in range(n)]
        )
        for name, n in (("age", 4), ("sex", 2))
    ]
    groups = [Group(code=f"G{k}", title=f"Group {k}", value=k) for k in (1, 2, 3)]
    return Survey(
        code="bench",
        title="Benchmark survey",
        year=2024,
        columns=Columns(group="service"),
        sections=sections,
        questions=questions,
        demographics=coded,
        groups=groups,
        cells=("age", "sex"),
    )


def parquet(rows: int, organisations: int, sizes: Sequence[int] = SIZES) -> Path:
    """A Parquet file of so many respondents (made once), row groups of 250,000, 14% missing answers."""
    more = "" if sizes == SIZES else f"_questions_{sum(sizes)}"
    path = FOLDER / f"rows_{rows}_organisations_{organisations}{more}.parquet"
    if path.exists():
        return path
    FOLDER.mkdir(parents=True, exist_ok=True)
    import pyarrow.parquet as pq

    rng = np.random.default_rng([rows, organisations])
    codes = np.array(codes_of(organisations))
    effect = rng.normal(0, 0.3, organisations)
    instrument = survey(sizes)
    writer = None
    temporary = path.with_suffix(".part")
    for start in range(0, rows, 250_000):
        size = min(250_000, rows - start)
        own = rng.integers(0, organisations, size)
        frame = {
            "organisation": codes[own],
            "age": (rng.integers(0, 4, size) + 1).astype(np.int8),
            "sex": (rng.integers(0, 2, size) + 1).astype(np.int8),
            "service": (rng.integers(0, 3, size) + 1).astype(np.int8),
            "year": np.full(size, 2024, dtype=np.int16),
        }
        person = rng.normal(0, 1, size) + effect[own]
        columns = []
        for question in instrument.questions:
            scored = len(question.options) - 1
            cut = np.linspace(-1, 1, scored - 1)
            answer = np.searchsorted(cut, 0.7 * person + rng.normal(0, 0.8, size)) + 1
            answer = np.where(rng.random(size) < 0.05, scored + 1, answer).astype(np.int8)
            columns.append(pl.Series(question.code, answer).set(pl.Series(rng.random(size) < 0.14), None))
        table = pl.DataFrame(frame).hstack(columns).to_arrow()
        writer = writer or pq.ParquetWriter(temporary, table.schema, compression="snappy")
        writer.write_table(table)
    writer.close()
    temporary.rename(path)
    return path


def copies(path: Path, many: int) -> Path:
    """A folder that holds a Parquet file so many times, without room for more than one."""
    folder = path.with_name(f"{path.stem}_times_{many}")
    folder.mkdir(exist_ok=True)
    for i in range(many):
        (folder / f"part-{i}.parquet").unlink(missing_ok=True)
        os.link(path, folder / f"part-{i}.parquet")
    return folder


def _write_folder(folder: Path, instrument: Survey, codes: Sequence[str], answers: pl.DataFrame, settings: str) -> None:
    """A folder ready to be benchmarked or counted: its answers, its list of organisations, its instrument and survey.yaml."""
    import yaml

    folder.mkdir(parents=True)
    answers.write_parquet(folder / "responses.parquet")
    names = [(code, f"Invented organisation {code}") for code in codes]
    pl.DataFrame(names, schema=["code", "name"], orient="row").write_csv(folder / "organisations.csv")
    (folder / "own.yaml").write_text(
        yaml.safe_dump(instrument.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    )
    (folder / "survey.yaml").write_text(f"instrument: own.yaml\norganisations: organisations.csv\nwaves: {settings}\n")


ONE_WAVE = "[{year: 2024, responses: responses.parquet}]"


def counting_folder(folder: Path, rows: int, organisations: int, part: tuple[int, int] = (0, 1)) -> Path:
    """A folder ready to be counted: so many respondents of so many organisations, or of each n-th organisation from one on."""
    first, step = part
    own = codes_of(organisations)[first::step]
    answers = pl.read_parquet(parquet(rows, organisations)).drop("service", "year")
    instrument = survey().model_copy(update={"groups": ()})
    _write_folder(folder, instrument, own, answers.filter(pl.col("organisation").is_in(own)), ONE_WAVE)
    return folder


def grouped_folder(folder: Path, organisations: int, each: int) -> None:
    """A folder ready to be benchmarked: so many organisations by 40 questions, so many respondents each in three service groups."""
    answers = pl.read_parquet(parquet(organisations * each, organisations)).drop("year").with_row_index("respondent")
    _write_folder(folder, survey(), codes_of(organisations), answers, ONE_WAVE)


def columns_of(instrument: Survey) -> list[str]:
    """The columns of a file that are counted."""
    columns = [instrument.columns.organisation, instrument.columns.group]
    return [*columns, *(d.name for d in instrument.demographics), *(q.code for q in instrument.scored)]


def codes_of(organisations: int) -> list[str]:
    return [f"T{i:05d}" for i in range(organisations)]


def wide_folder(folder: Path, organisations: int) -> None:
    """A folder ready to be benchmarked: so many organisations by 45 questions and 11 sections, as in the largest workbook."""
    sizes = (*SIZES, 5)
    instrument = survey(sizes).model_copy(update={"groups": ()})
    answers = pl.read_parquet(parquet(organisations * 450, organisations, sizes)).drop("service", "year")
    _write_folder(folder, instrument, codes_of(organisations), answers.with_row_index("respondent"), ONE_WAVE)


def two_waves_folder(folder: Path, organisations: int) -> None:
    """A folder ready to be benchmarked: so many organisations by 40 questions, 100 respondents each, in two years."""
    instrument = survey()
    questions = [q.model_copy(update={"comparable": {2023: q.code}}) for q in instrument.questions]
    instrument = instrument.model_copy(update={"groups": (), "questions": tuple(questions)})
    answers = pl.read_parquet(parquet(organisations * 100, organisations)).drop("service", "year")
    waves = ", ".join(f"{{year: {year}, responses: responses.parquet}}" for year in (2024, 2023))
    _write_folder(folder, instrument, codes_of(organisations), answers.with_row_index("respondent"), f"[{waves}]")
