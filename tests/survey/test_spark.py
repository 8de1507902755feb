"""Counting on Apache Spark: the results of this machine to the last byte, whatever becomes of a task."""

from __future__ import annotations

import builtins
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from helpers import pair_tables
from stocktake.problems import StocktakeError
from stocktake.run.core import Run
from stocktake.run.counting import count_folder
from stocktake.run.quality import benchmark_folder
from stocktake.run.settings import load_instrument, read_settings
from stocktake.survey import counts as counts_module
from stocktake.survey import spark as module
from stocktake.survey.counted import CountedWave
from stocktake.survey.counts import Layout
from stocktake.survey.findings import Findings
from stocktake.survey.responses import Intake
from stocktake.survey.spark import (
    TASK,
    Plan,
    combined,
    count_tasks,
    merge_parts,
    merge_sums,
    plan,
    runs_of,
    sum_parts,
    sum_tasks,
)
from stocktake.survey.tables import open_table
from stocktake.survey.wave import read_wave
from survey.test_counted import TRUSTS, bytes_of, people, write


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """Spark on this machine with two workers, whose tasks may fail three times."""
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("needs pyspark (pip install 'stocktake[spark]') and Java (apt-get install default-jre-headless)")
    from pyspark.sql import SparkSession

    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    made = (
        SparkSession.builder.master("local[2,4]")
        .config("spark.ui.enabled", "false")
        .config("spark.log.level", "OFF")
        .getOrCreate()
    )
    yield made
    made.stop()


def answers() -> pl.DataFrame:
    """Respondents, two of them twice, one more than once far apart, one with a wrong code, one of an unknown trust."""
    found = people(many=600).with_columns(
        Q1=pl.when(pl.col("respondent") == "r2024-9").then(8).otherwise("Q1"),
        organisation=pl.when(pl.col("respondent") == "r2024-11").then(pl.lit("T9")).otherwise("organisation"),
    )
    return pl.concat([found, found.slice(7, 1), found.slice(1500, 1), found.slice(7, 1)])


def given(folder: Path, *, engine: str, sample: bool = True) -> Path:
    made = write(folder, answers=answers(), sample=sample)
    # Row groups of very different sizes, one of a single row among them.
    rows, start = answers(), 0
    import pyarrow.parquet

    with pyarrow.parquet.ParquetWriter(made / "responses.parquet", rows.to_arrow().schema) as writer:
        for size in (1, 1700, 3, 400, rows.height):
            writer.write_table(rows.slice(start, size).to_arrow(), row_group_size=10_000)
            start += size
    wave = {"year": 2024, "responses": "responses.parquet"} | ({"sample": "sample-2024.csv"} if sample else {})
    if sample:
        told = answers().unique("respondent", maintain_order=True)
        told.select("respondent", "organisation", outcome=pl.lit(1)).write_csv(made / "sample-2024.csv")
    text = yaml.safe_dump({"instrument": "own.yaml", "engine": engine, "waves": [wave]})
    (made / "survey.yaml").write_text(text, "utf-8")
    return made


def run_of(folder: Path) -> tuple[dict[str, bytes], Run]:
    run, _ = benchmark_folder(folder)
    return bytes_of(folder), run


@pytest.mark.parametrize("sample", [True, False])
def test_the_results_are_those_of_this_machine(session: Any, tmp_path: Path, sample: bool) -> None:
    here, mine = run_of(given(tmp_path / "here", engine="local", sample=sample))
    there, theirs = run_of(given(tmp_path / "there", engine="spark", sample=sample))
    assert there == here
    assert theirs.findings.equals(mine.findings)
    assert theirs.findings.filter(pl.col("check") == "duplicate respondent")["row"].to_list() == [2401, 2402, 2403]
    assert theirs.results.provenance["waves"] == mine.results.provenance["waves"]


@pytest.mark.parametrize("address", [False, True])
def test_a_folder_of_files(session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: bool) -> None:
    """Files in hive partitions, one with a blank in its name, and their address; rows have the numbers of here."""
    monkeypatch.setattr(module, "ROWS", 700)
    place = tmp_path / "all answers"
    for (code,), part in answers().partition_by("organisation", as_dict=True, include_key=False).items():
        target = place / f"organisation={code}"
        target.mkdir(parents=True)
        part.head(300).write_parquet(target / "a b.parquet")
        part.slice(300).write_parquet(target / "c.parquet")
    found = []
    for engine in ("local", "spark"):
        folder = given(tmp_path / engine, engine=engine, sample=False)
        text = (folder / "survey.yaml").read_text("utf-8")
        source = f"{place.as_uri()}/" if address else str(place)
        (folder / "survey.yaml").write_text(text.replace("responses.parquet", source), "utf-8")
        found.append(run_of(folder))
    assert found[0][0] == found[1][0] and found[0][1].findings.equals(found[1][1].findings)
    assert found[1][1].findings.filter(pl.col("check") == "duplicate respondent").height == 3


@pytest.mark.parametrize("named", [True, False])
def test_without_anybody_twice(session: Any, tmp_path: Path, named: bool) -> None:
    """Nobody is in the file twice, or it does not say who is who."""
    found = []
    for engine in ("local", "spark"):
        folder = given(tmp_path / engine, engine=engine, sample=False)
        rows = people()
        (rows if named else rows.drop("respondent")).write_parquet(folder / "responses.parquet")
        found.append(run_of(folder))
    assert found[0][0] == found[1][0] and found[0][1].findings.equals(found[1][1].findings)


@pytest.mark.parametrize("paired", [True, False])
def test_many_partitions_and_both_ways_to_section_errors(
    session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paired: bool
) -> None:
    """Sums of many partitions are added on Spark first; and where pairs are not counted, the second pass is Spark's, too."""
    monkeypatch.setattr(module, "MOST_PARTS", 1)
    monkeypatch.setattr(counts_module, "PAIR_BUDGET", 10_000 if paired else 1)
    here, mine = run_of(given(tmp_path / "here", engine="local"))
    there, theirs = run_of(given(tmp_path / "there", engine="spark"))
    assert there == here and theirs.findings.equals(mine.findings)
    for run in (mine, theirs):
        assert run.counted[0].counts is not None and (run.counted[0].counts.pairs is not None) is paired
    # Counts that travel, in blocks where all pairs do not fit in memory.
    files = [count_folder(tmp_path / where)[0][0] for where in ("here", "there")]
    one, two = (CountedWave.load(path).counts for path in files)
    np.testing.assert_equal(pair_tables(one), pair_tables(two))
    assert one.pairs is not None and two.pairs is not None and len(one.pairs) == len(two.pairs) == (1 if paired else 4)


def test_tasks_that_fail_are_repeated_and_change_nothing(
    session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every task fails when it is first tried, after it has counted; and progress ends at all rows."""
    here, _ = run_of(given(tmp_path / "here", engine="local"))
    folder = given(tmp_path / "there", engine="spark")

    def failing(intake: Intake, work: Plan, pairs: bool, batches: Iterable[Any]) -> Iterator[Any]:
        from pyspark import TaskContext

        from stocktake.survey.spark import count_tasks as original

        made = list(original(intake, work, pairs, batches))
        if TaskContext.get().attemptNumber() == 0:
            raise RuntimeError("a respondent's value: r2024-1")
        yield from made

    monkeypatch.setattr(module, "count_tasks", failing)
    monkeypatch.setattr(module, "LOOK", 0.05)
    looks: list[int] = []
    look = module._told

    def looking(session: Any, rows: int, done: int, progress: Any) -> int:
        looks.append(rows)
        return look(session, rows, done, progress)

    monkeypatch.setattr(module, "_told", looking)
    told: list[int] = []
    run, _ = benchmark_folder(folder, told.append)
    assert set(looks) == {answers().height}
    assert bytes_of(folder) == here and sum(told) == answers().height == run.counted[0].rows

    def never(intake: Intake, work: Plan, pairs: bool, batches: Iterable[Any]) -> Iterator[Any]:
        raise RuntimeError("a respondent's value: r2024-1")

    monkeypatch.setattr(module, "count_tasks", never)
    with pytest.raises(StocktakeError, match=r"Spark could not count responses\.parquet \(\w+\)") as error:
        benchmark_folder(folder)
    assert "r2024" not in str(error.value)


def intake_of(folder: Path) -> Intake:
    survey = load_instrument(read_settings(folder), folder)
    table = open_table(folder / "responses.parquet", "responses.parquet")
    made = Intake(survey, survey.method, Layout.of(survey, TRUSTS), table, None)
    made.check_columns(Findings(2024), ())
    return made


def told(*tasks: int) -> list[Any]:
    """Arrow batches as Spark gives them to a worker that is to do some tasks, one in each."""
    return [pl.DataFrame({TASK: [task]}).to_arrow().to_batches()[0] for task in tasks]


def parts_of(made: Iterable[Any]) -> list[bytes]:
    return [batch["part"][0].as_py() for batch in made]


@pytest.mark.parametrize("pairs", [True, False])
def test_tasks_add_to_the_whole_in_any_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pairs: bool) -> None:
    """Uneven tasks, a worker without one, one with two that are far apart, and one that is done twice: the same sums."""
    monkeypatch.setattr(module, "ROWS", 500)
    folder = given(tmp_path, engine="local", sample=False)
    intake = intake_of(folder)
    work = plan(intake, runs_of(intake), 9)
    assert work.rows == answers().height and work.repeated.tolist() == [2400, 2401, 2402]
    # A row group is read in pieces where it is large, and never by two tasks.
    assert [[run.rows for run in runs] for runs in work.tasks] == [[1], [1700], [403], [299]]
    packed = parts_of(
        batch for own in (told(3, 0), [], told(1), told(2)) for batch in count_tasks(intake, work, pairs, own)
    )
    assert len(packed) == 3 and parts_of(count_tasks(intake, work, pairs, told(1))) == packed[1:2]
    survey = intake.survey
    own = read_wave(survey, 2024, TRUSTS, intake.table, None, survey.method, pairs=pairs)
    assert own.counts is not None
    for order in (packed, packed[::-1]):
        counts, parts = combined(intake, pairs, order)
        for name in ("respondents", "answers"):
            np.testing.assert_equal(getattr(counts, name), getattr(own.counts, name))
        if pairs:
            np.testing.assert_equal(pair_tables(counts), pair_tables(own.counts))
        places_of = [first for first, _ in parts]
        assert places_of == sorted(places_of) and sum(c.rows for _, c in parts) == work.rows
        assert max(c.rows for _, c in parts) <= 1000 and sum(c.set_aside for _, c in parts) == own.set_aside
    merged = parts_of(merge_parts(intake, pairs, [pl.DataFrame({"part": packed}).to_arrow()]))
    assert merged == [again_packed(intake, pairs, packed)]
    assert list(count_tasks(intake, work, pairs, [])) == list(merge_parts(intake, pairs, [])) == []


def test_rows_are_dealt_out_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """About as many to each task, in order, empty row groups left out; and of an address slices."""
    monkeypatch.setattr(module, "ROWS", 100)
    folder = given(tmp_path, engine="local", sample=False)
    parts = tmp_path / "parts"
    parts.mkdir()
    for i, many in enumerate((300, 0, 40, 60, 500)):
        answers().head(many).write_parquet(parts / f"{i}.parquet", row_group_size=100)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    for source in (parts, Path("parts"), f"{parts.as_uri()}/"):
        intake = replace(intake_of(folder), table=open_table(source))
        for most in (1, 2, 3, 50):
            work = plan(intake, runs_of(intake), most)
            runs = [run for own in work.tasks for run in own]
            sizes = [sum(run.rows for run in own) for own in work.tasks]
            assert [run.place for run in runs] == np.cumsum([0, *(run.rows for run in runs)])[:-1].tolist()
            assert work.rows == 900 and len(sizes) == min(most, len(runs)) and max(sizes) <= 900 / most + 100
            monkeypatch.chdir(tmp_path / "elsewhere")
            assert all(sum(frame.height for frame in run.load()) == run.rows for run in runs)
            monkeypatch.chdir(tmp_path)


def test_a_file_that_changes(tmp_path: Path) -> None:
    folder = given(tmp_path, engine="local", sample=False)
    intake = intake_of(folder)
    work = plan(intake, runs_of(intake), 1)
    answers().head(2000).write_parquet(folder / "responses.parquet")
    with pytest.raises(StocktakeError, match=r"responses\.parquet: has changed since it was opened"):
        list(count_tasks(intake, work, False, told(0)))
    for pieces in (lambda: runs_of(intake), lambda: list(intake.table.pieces(("Q1",), 100))):
        with pytest.raises(
            StocktakeError, match=r"2,000 rows are there, and 2,403 counted; it has changed since it was"
        ):
            pieces()
    (folder / "responses.parquet").write_bytes(b"PAR1")
    with pytest.raises(StocktakeError, match=r"responses\.parquet: cannot be read as a table"):
        runs_of(intake)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (pl.Float64, r"holds values of type Int64 in a\.parquet and Float64 in more/b\.parquet"),
        (pl.String, r"holds values of type Int64 in a\.parquet and String in more/b\.parquet"),
        (pl.Struct({"a": pl.Int64}), r"holds values of type Int64 in a\.parquet and Struct\(.*\) in more/b\.parquet"),
        (None, r"is in a\.parquet and not in more/b\.parquet; expected it in every file"),
    ],
)
def test_files_that_do_not_hold_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, said: str) -> None:
    """Read whole, in pieces and by tasks: the same sentence, and only where the column is asked for."""
    monkeypatch.setattr(module, "ROWS", 100)
    parts = tmp_path / "parts"
    (parts / "more").mkdir(parents=True)
    rows = answers().with_columns(pl.col("Q1").cast(pl.Int64))
    rows.head(700).write_parquet(parts / "a.parquet", row_group_size=100)
    other = rows.slice(700).drop("Q1")
    if kind is not None:
        other = other.with_columns(Q1=pl.lit(None, kind))
    other.write_parquet(parts / "more" / "b.parquet", row_group_size=100)
    table = open_table(parts)
    asks = [
        lambda c: list(table.batches(c, 10_000)),
        lambda c: [load() for _, load in table.pieces(c, 100)],
        lambda c: [list(run.load()) for run in table.runs(c, 100)],
    ]
    for ask in asks:
        with pytest.raises(StocktakeError, match=rf"parts, column Q1: {said}"):
            ask(("Q1", "Q2"))
    for ask in asks[1:]:
        assert len(ask(("Q2", "organisation"))) == 25


def again_packed(intake: Intake, pairs: bool, packed: list[bytes]) -> bytes:
    """The same from the parts in another order, in two steps."""
    first = parts_of(merge_parts(intake, pairs, [pl.DataFrame({"part": packed[1:]}).to_arrow()]))
    (one,) = parts_of(merge_parts(intake, pairs, [pl.DataFrame({"part": [*first, packed[0]]}).to_arrow()]))
    return one


@pytest.mark.parametrize(("sample", "paired"), [(True, True), (False, True), (False, False)])
def test_the_kernel_without_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: bool, paired: bool) -> None:
    """The same in this process, partition by partition in an order of their own: what Spark adds is where they run."""
    monkeypatch.setattr(counts_module, "PAIR_BUDGET", 10_000 if paired else 1)
    here, mine = run_of(given(tmp_path / "here", engine="local", sample=sample))

    monkeypatch.setattr(module, "ROWS", 300)

    def count(intake: Intake, *, pairs: bool, progress: Any = None) -> Any:
        work = plan(intake, runs_of(intake), 4)
        order = reversed(range(len(work.tasks)))
        return combined(intake, pairs, parts_of(b for t in order for b in count_tasks(intake, work, pairs, told(t))))

    def add(intake: Intake, of: Any) -> Any:
        work = plan(intake, runs_of(intake), 3)
        assert list(sum_tasks(intake, work, of, [])) == list(merge_sums([])) == []
        order = reversed(range(len(work.tasks)))
        made = parts_of(b for t in order for b in sum_tasks(intake, work, of, told(t)))
        merged = parts_of(merge_sums([pl.DataFrame({"part": made[1:]}).to_arrow()]))
        assert np.array_equal(sum_parts([made[0], *merged]), sum_parts(made))
        return sum_parts(made)

    monkeypatch.setattr(module, "count_on_spark", count)
    monkeypatch.setattr(module, "sum_on_spark", add)
    there, theirs = run_of(given(tmp_path / "there", engine="spark", sample=sample))
    assert there == here and theirs.findings.equals(mine.findings)


def test_counts_that_are_too_large_are_an_error(tmp_path: Path) -> None:
    intake = intake_of(given(tmp_path, engine="local", sample=False))
    answers().head(50).drop("respondent").write_parquet(tmp_path / "responses.parquet")
    intake = replace(intake, table=open_table(tmp_path / "responses.parquet"))
    work = plan(intake, runs_of(intake), 1)
    (part,) = parts_of(count_tasks(intake, work, False, told(0)))
    import io

    with np.load(io.BytesIO(part)) as file:
        arrays = {name: file[name] for name in file.files}
    assert "who_0" not in arrays
    arrays["counts_0"] = np.full_like(arrays["counts_0"], 2**31 - 1, dtype=np.int32)
    held = io.BytesIO()
    np.savez(held, **arrays)
    with pytest.raises(OverflowError):
        combined(intake, False, [held.getvalue(), held.getvalue()])


def test_what_spark_is_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = given(tmp_path, engine="spark", sample=False)
    text = (folder / "survey.yaml").read_text("utf-8")
    (folder / "survey.yaml").write_text(text.replace("responses.parquet", "responses-2024.csv"), "utf-8")
    with pytest.raises(
        StocktakeError, match=r"responses-2024\.csv: engine: spark reads a Parquet file, a folder of them or"
    ):
        benchmark_folder(folder)
    assert open_table(answers()).runs(("Q1",), 100) == []
    (folder / "survey.yaml").write_text(text, "utf-8")
    original = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == "pyspark":
            raise ImportError(name)
        return original(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    for work in (
        lambda: benchmark_folder(folder),
        lambda: module.sum_on_spark(intake_of(folder), lambda batch: batch.key),
    ):
        with pytest.raises(
            StocktakeError, match=r"engine: spark needs pip install 'stocktake\[spark\]', and a Java runtime"
        ):
            work()
    monkeypatch.undo()

    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("no Java")

    if importlib.util.find_spec("pyspark") is not None:
        import pyspark.sql

        monkeypatch.setattr(pyspark.sql.SparkSession, "builder", Broken())
        with pytest.raises(StocktakeError, match=r"Spark could not be started \(RuntimeError\)"):
            benchmark_folder(folder)
