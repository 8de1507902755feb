"""The same pass on Apache Spark: every task reads, cleans and counts its share of the respondents, and only sums come back.

Respondents do not go through Spark, which would hand them over row by row: a task is told which row groups are its own and
reads them as this machine would. Its function keeps nothing between calls: a task that is repeated, or run twice because it
seems slow, gives its sums again, and Spark takes one of them.
"""

from __future__ import annotations

import io
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import sleep
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from stocktake.problems import StocktakeError
from stocktake.survey.cleaning import clean
from stocktake.survey.coding import text
from stocktake.survey.counted import frame_bytes, frame_of
from stocktake.survey.counts import Batch, Counts, Ints, held
from stocktake.survey.engines import Progress
from stocktake.survey.findings import Findings
from stocktake.survey.responses import NOBODY, Cleaned, Intake, Raw, repeats
from stocktake.survey.tables import Run
from stocktake.survey.tally import Tally

# The column that says which tasks a worker is to do.
TASK = "id"
# Rows that a worker reads at a time, and how many tasks there are for each core: a few, so that none is waited for long.
ROWS, TASKS = 262_144, 4
# What was found in rows that follow one another, with the place of the first.
Done = list[tuple[int, Cleaned]]
# Sums of more tasks than this are added on Spark before they come here.
MOST_PARTS = 16
# Seconds between two looks at how far Spark is.
LOOK = 0.5
INSTALL = "pip install 'stocktake[spark]', and a Java runtime (apt-get install default-jre-headless)"


@dataclass(frozen=True)
class Plan:
    """The runs of rows of each task, and the places of rows (from 0, in order) that repeat a respondent of an earlier one."""

    tasks: tuple[tuple[Run, ...], ...]
    repeated: Ints

    @property
    def rows(self) -> int:
        return sum(run.rows for runs in self.tasks for run in runs)


def runs_of(intake: Intake) -> list[Run]:
    """A wave's rows as runs that workers can read; raises StocktakeError where they cannot."""
    runs = intake.table.runs(intake.columns(), ROWS)
    if not runs:
        raise StocktakeError(
            f"{intake.table.name}: engine: spark reads a Parquet file, a folder of them or their address; expected one in "
            "place of what survey.yaml names, or no engine."
        )
    return runs


def plan(intake: Intake, runs: Sequence[Run], most: int) -> Plan:
    """Runs dealt out, in their order, to at most so many tasks, about as many rows to each."""
    runs = [run for run in runs if run.rows]
    ends = np.cumsum([run.rows for run in runs])
    task = (ends - 1) * most // ends[-1:]
    tasks = [tuple(run for run, own in zip(runs, task, strict=True) if own == t) for t in np.unique(task)]
    return Plan(tuple(tasks), _repeated(intake))


def _repeated(intake: Intake) -> Ints:
    """The places of rows that repeat a respondent of an earlier row."""
    name, table = intake.survey.columns.respondent, intake.table
    suspects = table.repeated(name) if name in table.columns else frozenset()
    found, seen, start = [np.zeros(0, dtype=np.int64)], set[str](), 0
    for frame in table.batches((name,)) if suspects else ():
        found.append(start + np.flatnonzero(repeats(text(frame[name]), suspects, seen)))
        start += frame.height
    return np.concatenate(found)


def count_on_spark(intake: Intake, *, pairs: bool, progress: Progress | None = None) -> tuple[Counts, Done]:
    """Count a wave's respondents on Spark: in the session that there is, else in one of this machine.

    Reads Parquet files and addresses, which must have the same name for every worker; a row group is what a task reads at
    least. Raises StocktakeError for another kind of source, and where Spark is not there or fails.
    """
    return _counted(intake, runs_of(intake), _session(), pairs, progress)


def sum_on_spark(intake: Intake, of: Callable[[Batch], Ints]) -> Ints:
    """The sum of a function of batches over a wave's respondents, who are read and cleaned again on Spark."""
    return _summed(intake, runs_of(intake), _session(), of)


# Excluded from coverage: what follows needs Spark and a Java runtime, which a fresh machine may lack. The tests run it where
# they are, and everything that it calls without them.
def _counted(  # pragma: no cover
    intake: Intake, runs: Sequence[Run], session: Any, pairs: bool, progress: Progress | None
) -> tuple[Counts, Done]:
    work = plan(intake, runs, TASKS * session.sparkContext.defaultParallelism)

    def count(batches: Iterator[Any]) -> Iterator[Any]:
        return count_tasks(intake, work, pairs, batches)

    def merge(batches: Iterator[Any]) -> Iterator[Any]:
        return merge_parts(intake, pairs, batches)

    made = _tasks(session, work).mapInArrow(count, "part binary")
    many = len(work.tasks)
    if many > MOST_PARTS:
        # What comes back to this machine must fit into its memory, however many tasks there are.
        made = made.repartition(math.isqrt(many)).mapInArrow(merge, "part binary")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(made.collect)
        done = 0
        while not waiting.done():
            sleep(LOOK)
            done = _told(session, work.rows, done, progress)
        collected = _result(intake, waiting.result)
    if progress is not None:
        progress(work.rows - done)
    return combined(intake, pairs, (row["part"] for row in collected))


def _summed(  # pragma: no cover
    intake: Intake, runs: Sequence[Run], session: Any, of: Callable[[Batch], Ints]
) -> Ints:
    work = plan(intake, runs, TASKS * session.sparkContext.defaultParallelism)

    def add(batches: Iterator[Any]) -> Iterator[Any]:
        return sum_tasks(intake, work, of, batches)

    made = _tasks(session, work).mapInArrow(add, "part binary")
    many = len(work.tasks)
    if many > MOST_PARTS:
        made = made.repartition(math.isqrt(many)).mapInArrow(merge_sums, "part binary")
    collected = _result(intake, made.collect)
    return sum_parts(row["part"] for row in collected)


def _tasks(session: Any, work: Plan) -> Any:  # pragma: no cover
    """A frame of Spark's that has the number of each task in a partition of its own."""
    return session.range(0, len(work.tasks), 1, len(work.tasks))


def _result(intake: Intake, collect: Callable[[], Any]) -> Any:  # pragma: no cover
    try:
        return collect()
    except Exception as error:
        if "No module named 'stocktake'" in str(error):
            raise StocktakeError(
                "Spark's workers have no Stocktake; install it where they run, or say with PYSPARK_PYTHON, before Spark is "
                "started, which Python has it."
            ) from None
        # What Spark says of a failure may hold respondents' values.
        raise StocktakeError(f"Spark could not count {intake.table.name} ({type(error).__name__}).") from None


def _session() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise StocktakeError(f"engine: spark needs {INSTALL}.") from None
    return _started(SparkSession)  # pragma: no cover - as below


def _started(sessions: Any) -> Any:  # pragma: no cover
    # On this machine workers need this program's Python; a cluster says itself which is its own.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        session = sessions.builder.appName("stocktake").config("spark.ui.showConsoleProgress", "false").getOrCreate()
    except Exception as error:
        raise StocktakeError(f"Spark could not be started ({type(error).__name__}); it needs {INSTALL}.") from None
    return session


def _told(  # pragma: no cover
    session: Any, rows: int, done: int, progress: Progress | None
) -> int:
    """Tell how many rows are counted by the share of tasks that are done; returns how many have been told."""
    tracker = session.sparkContext.statusTracker()
    stages = [tracker.getStageInfo(s) for s in tracker.getActiveStageIds()]
    known = [s for s in stages if s is not None and s.numTasks]
    if not known:
        return done
    now = max(done, int(rows * min(s.numCompletedTasks / s.numTasks for s in known)))
    if progress is not None:
        progress(now - done)
    return now


def count_tasks(intake: Intake, work: Plan, pairs: bool, batches: Iterable[Any]) -> Iterator[Any]:
    """Clean and count the rows of the tasks named in Arrow batches, and give one row: their sums and what was found."""
    tally = Tally(intake.layout, pairs)
    done: Done = []
    for first, cleaned in _cleaned(intake, work, batches):
        tally.add(cleaned.batch)
        done.append((first, cleaned))
    if done:
        yield _row(_packed(tally, done))


def merge_parts(intake: Intake, pairs: bool, batches: Iterable[Any]) -> Iterator[Any]:
    """Add what `count_tasks` gave of several tasks, and give one row like theirs."""
    total, done = _merged(intake, pairs, (part for batch in batches for part in pl.DataFrame(batch)["part"]))
    if done:
        yield _row(_packed(total, done))


def sum_tasks(intake: Intake, work: Plan, of: Callable[[Batch], Ints], batches: Iterable[Any]) -> Iterator[Any]:
    """Sum a function over the rows of the tasks named in Arrow batches, and give one row; none where no task is named."""
    total: Ints | int = 0
    for _, cleaned in _cleaned(intake, work, batches):
        total = total + of(cleaned.batch)
    if isinstance(total, np.ndarray):
        yield _row(_archive({"sum": total}))


def merge_sums(batches: Iterable[Any]) -> Iterator[Any]:
    """Add what `sum_tasks` gave of several tasks, and give one row like theirs."""
    total = sum_parts(part for batch in batches for part in pl.DataFrame(batch)["part"])
    if total.shape:
        yield _row(_archive({"sum": total}))


def sum_parts(parts: Iterable[bytes]) -> Ints:
    """The sum of what `sum_tasks` gave."""
    total: Ints | int = 0
    for part in parts:
        with np.load(io.BytesIO(part), allow_pickle=False) as file:
            total = total + file["sum"]
    return np.asarray(total)


def _cleaned(intake: Intake, work: Plan, batches: Iterable[Any]) -> Iterator[tuple[int, Cleaned]]:
    """The rows of the tasks named in Arrow batches, cleaned some at a time, each with the place of the first.

    Raises StocktakeError where there are more or fewer rows than were planned for.
    """
    tasks = (task for batch in batches for task in pl.DataFrame(batch)[TASK])
    for run in (run for task in tasks for run in work.tasks[task]):
        first = run.place
        for frame in run.load():
            again = np.isin(np.arange(first, first + frame.height), work.repeated) if work.repeated.size else None
            yield first, clean(intake, Raw(first, intake.table.first_row + first, partial(held, frame), again))
            first += frame.height
        if first != run.place + run.rows:
            raise StocktakeError(f"{intake.table.name}: has changed since it was opened.")


def _row(part: bytes) -> Any:
    import pyarrow

    return pyarrow.RecordBatch.from_pydict({"part": [part]}, pyarrow.schema([("part", pyarrow.binary())]))


def _packed(tally: Tally, done: Done) -> bytes:
    """Sums and what was found as bytes."""
    arrays = tally.packed()
    for i, (_, cleaned) in enumerate(done):
        arrays[f"findings_{i}"] = frame_bytes(cleaned.findings.joined())
        if cleaned.respondents is not None:
            arrays[f"who_{i}"] = frame_bytes(pl.DataFrame({"who": cleaned.respondents}))
    arrays["told"] = np.array([(first, c.rows, c.set_aside) for first, c in done], dtype=np.int64)
    return _archive(arrays)


def _archive(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


def combined(intake: Intake, pairs: bool, packed: Iterable[bytes]) -> tuple[Counts, Done]:
    """The sums of all tasks, and what was found in the order of the rows."""
    total, done = _merged(intake, pairs, packed)
    return total.counts(), done


def _merged(intake: Intake, pairs: bool, packed: Iterable[bytes]) -> tuple[Tally, Done]:
    total = Tally(intake.layout, pairs)
    done: Done = []
    for content in packed:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            total.add_packed(file)
            for i, (first, rows, aside) in enumerate(file["told"].tolist()):
                findings = Findings(intake.survey.year)
                findings.take(frame_of(file[f"findings_{i}"]))
                who = frame_of(file[f"who_{i}"])["who"] if f"who_{i}" in file else None
                done.append((first, Cleaned(NOBODY, findings, aside, rows, who)))
    return total, sorted(done, key=lambda d: d[0])
