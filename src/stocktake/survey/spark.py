"""The same pass on Apache Spark: every partition is cleaned and counted where it lies, and only sums come back.

Partitions are counted by the kernel that counts here, in a function that keeps nothing between calls: a task that is
repeated, or run twice because it seems slow, gives its sums again, and Spark takes one of them.
"""

from __future__ import annotations

import io
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import unquote, urlparse

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
from stocktake.survey.parquet import parquet_files
from stocktake.survey.responses import NOBODY, Cleaned, Intake, Raw
from stocktake.survey.tally import Tally

# The place of a row in its file, and its file, in the columns that workers are given.
ROW, FILE = "_stocktake_row", "_stocktake_file"
# Rows that Spark hands a worker at a time.
BATCH = 131_072
# What was found in rows that follow one another, with the place of the first.
Done = list[tuple[int, Cleaned]]
# Sums of more partitions than this are added on Spark before they come here.
MOST_PARTS = 16
# Seconds between two looks at how far Spark is.
LOOK = 0.5
INSTALL = "pip install 'stocktake[spark]', and a Java runtime (apt-get install default-jre-headless)"


@dataclass(frozen=True)
class Places:
    """Where each file's rows begin among all, and which rows repeat a respondent of an earlier one (both from 0)."""

    begins: Mapping[str, int]
    repeats: frozenset[int]

    def of(self, file: str, row: int) -> int:
        return self.begins[path_of(file)] + row


def path_of(address: str) -> str:
    """The path of a file as Spark names it: an address in which some letters are written otherwise."""
    return unquote(urlparse(address).path)


def count_on_spark(intake: Intake, *, pairs: bool, progress: Progress | None = None) -> tuple[Counts, Done]:
    """Count a wave's respondents on Spark: in the session that there is, else in one of this machine.

    Reads Parquet files, a row group being what a task reads at least. Raises StocktakeError for another kind of source, and
    where Spark is not there or fails.
    """
    files = _files(intake)
    return _counted(intake, _session(), files, pairs, progress)


def sum_on_spark(intake: Intake, of: Callable[[Batch], Ints]) -> Ints:
    """The sum of a function of batches over a wave's respondents, who are read and cleaned again on Spark."""
    files = _files(intake)
    return _summed(intake, _session(), files, of)


def _files(intake: Intake) -> list[Path]:
    source = intake.table.source
    files = parquet_files(source.resolve()) if isinstance(source, Path) else []
    if not files:
        raise StocktakeError(
            f"{intake.table.name}: engine: spark reads a Parquet file or a folder of them; expected one in place of what "
            "survey.yaml names, or no engine."
        )
    return files


# Excluded from coverage: what follows needs Spark and a Java runtime, which a fresh machine may lack. The tests run it where
# they are, and everything that it calls without them.
def _counted(  # pragma: no cover
    intake: Intake, session: Any, files: list[Path], pairs: bool, progress: Progress | None
) -> tuple[Counts, Done]:
    begins, rows = _begins(files)
    frame, places = _respondents(intake, session, files, begins)

    def count(batches: Iterator[Any]) -> Iterator[Any]:
        return count_partition(intake, places, pairs, batches)

    def merge(batches: Iterator[Any]) -> Iterator[Any]:
        return merge_parts(intake, pairs, batches)

    made = frame.mapInArrow(count, "part binary")
    many = made.rdd.getNumPartitions()
    if many > MOST_PARTS:
        # What comes back to this machine must fit into its memory, however many partitions there are.
        made = made.repartition(math.isqrt(many)).mapInArrow(merge, "part binary")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(made.collect)
        done = 0
        while not waiting.done():
            sleep(LOOK)
            done = _told(session, rows, done, progress)
        collected = _result(intake, waiting.result)
    if progress is not None:
        progress(rows - done)
    return combined(intake, pairs, (row["part"] for row in collected))


def _summed(  # pragma: no cover
    intake: Intake, session: Any, files: list[Path], of: Callable[[Batch], Ints]
) -> Ints:
    frame, places = _respondents(intake, session, files, _begins(files)[0])

    def work(batches: Iterator[Any]) -> Iterator[Any]:
        return sum_partition(intake, places, of, batches)

    made = frame.mapInArrow(work, "part binary")
    many = made.rdd.getNumPartitions()
    if many > MOST_PARTS:
        made = made.repartition(math.isqrt(many)).mapInArrow(merge_sums, "part binary")
    collected = _result(intake, made.collect)
    return sum_parts(row["part"] for row in collected)


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


def _respondents(  # pragma: no cover
    intake: Intake, session: Any, files: list[Path], begins: dict[str, int]
) -> tuple[Any, Places]:
    """The columns that are read as a frame of Spark's, and which of its rows repeat a respondent."""
    names = intake.survey.columns
    columns = intake.columns()
    source = intake.table.source
    base = source if isinstance(source, Path) and source.is_dir() else files[0].parent
    # What hive partitions say is text, as everywhere.
    session.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    frame = session.read.option("basePath", str(base)).parquet(*map(str, files))
    from pyspark.sql import functions as f

    frame = frame.select(*columns, f.col("_metadata.row_index").alias(ROW), f.col("_metadata.file_path").alias(FILE))
    repeats: frozenset[int] = frozenset()
    if names.respondent in columns:
        suspects = intake.table.repeated(names.respondent)
        if suspects:
            near = f.trim(f.col(names.respondent).cast("string")).isin(sorted(suspects))
            met = frame.filter(near).select(names.respondent, ROW, FILE).toArrow()
            repeats = later_rows(pl.DataFrame(met), names.respondent, begins)
    return frame, Places(begins, repeats)


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
    session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(BATCH))
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


def _begins(files: Iterable[Path]) -> tuple[dict[str, int], int]:
    """Where the rows of each file begin among all, and how many there are."""
    import pyarrow.parquet

    begins, rows = {}, 0
    for path in files:
        begins[str(path)] = rows
        rows += pyarrow.parquet.ParquetFile(path).metadata.num_rows
    return begins, rows


def later_rows(met: pl.DataFrame, respondent: str, begins: Mapping[str, int]) -> frozenset[int]:
    """The rows, counted over all files from 0, of respondents who stand in an earlier row."""
    places = Places(begins, frozenset())
    found = pl.DataFrame(
        {
            "who": text(met[respondent]),
            "row": [places.of(file, row) for file, row in met.select(FILE, ROW).iter_rows()],
        },
        schema={"who": pl.String, "row": pl.Int64},
    )
    return frozenset(found.sort("row").filter(~pl.col("who").is_first_distinct())["row"])


def count_partition(intake: Intake, places: Places, pairs: bool, batches: Iterable[Any]) -> Iterator[Any]:
    """Clean and count the batches of one partition, and give one row: their sums and what was found."""
    tally = Tally(intake.layout, pairs)
    done: Done = []
    for first, cleaned in _cleaned(intake, places, batches):
        tally.add(cleaned.batch)
        done.append((first, cleaned))
    if done:
        yield _row(_packed(tally, done))


def merge_parts(intake: Intake, pairs: bool, batches: Iterable[Any]) -> Iterator[Any]:
    """Add what `count_partition` gave of several partitions, and give one row like theirs."""
    total, done = _merged(intake, pairs, (part for batch in batches for part in pl.DataFrame(batch)["part"]))
    if done:
        yield _row(_packed(total, done))


def sum_partition(intake: Intake, places: Places, of: Callable[[Batch], Ints], batches: Iterable[Any]) -> Iterator[Any]:
    """Sum a function over the batches of one partition, and give one row; none for a partition without rows."""
    total: Ints | int = 0
    for _, cleaned in _cleaned(intake, places, batches):
        total = total + of(cleaned.batch)
    if isinstance(total, np.ndarray):
        yield _row(_archive({"sum": total}))


def merge_sums(batches: Iterable[Any]) -> Iterator[Any]:
    """Add what `sum_partition` gave of several partitions, and give one row like theirs."""
    total = sum_parts(part for batch in batches for part in pl.DataFrame(batch)["part"])
    if total.shape:
        yield _row(_archive({"sum": total}))


def sum_parts(parts: Iterable[bytes]) -> Ints:
    """The sum of what `sum_partition` gave."""
    total: Ints | int = 0
    for part in parts:
        with np.load(io.BytesIO(part), allow_pickle=False) as file:
            total = total + file["sum"]
    return np.asarray(total)


def _cleaned(intake: Intake, places: Places, batches: Iterable[Any]) -> Iterator[tuple[int, Cleaned]]:
    """The batches of one partition, cleaned, each with the place of its first row."""
    for batch in batches:
        for frame in _runs(pl.DataFrame(batch)):
            first = places.of(frame[FILE][0], frame[ROW][0])
            here = np.arange(first, first + frame.height)
            again = np.isin(here, list(places.repeats)) if places.repeats else None
            given = partial(held, frame.drop(ROW, FILE))
            yield first, clean(intake, Raw(first, intake.table.first_row + first, given, again))


def _row(part: bytes) -> Any:
    import pyarrow

    return pyarrow.RecordBatch.from_pydict({"part": [part]}, pyarrow.schema([("part", pyarrow.binary())]))


def _runs(frame: pl.DataFrame) -> list[pl.DataFrame]:
    """A batch in pieces of rows that follow one another in one file."""
    rows, files = frame[ROW].to_numpy(), frame[FILE].rle_id().to_numpy()
    cuts = np.flatnonzero((np.diff(rows) != 1) | (np.diff(files) != 0)) + 1
    ends = [0, *cuts.tolist(), frame.height]
    return [frame.slice(a, b - a) for a, b in pairwise(ends) if b > a]


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
    """The sums of all partitions, and what was found in the order of the rows."""
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
