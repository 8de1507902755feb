"""Parquet: files, folders of them with hive partitions, and addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from urllib.parse import unquote

import polars as pl

from stocktake.problems import StocktakeError
from stocktake.survey.opening import readable


def read_run(
    path: Path, root: Path, columns: tuple[str, ...], start: int, size: int, rows: int, name: str
) -> Iterator[pl.DataFrame]:
    """Rows of one file of those below `root`, at most `rows` at a time; `name` is the table's name in messages."""
    return frames(scan_parquet([path], root).select(columns).slice(start, size), size, rows, name)


def frames(lazy: pl.LazyFrame, size: int | None, rows: int, name: str) -> Iterator[pl.DataFrame]:
    """A plan's rows in order, at most `rows` at a time; `size` is how many there are, where that is known."""
    with readable(name, "a table"):
        if size is not None and size <= rows:
            # One batch: the streaming engine would take longer to start than to read it.
            yield lazy.collect()
            return
        yield from lazy.collect_batches(chunk_size=rows, maintain_order=True, engine="streaming")


def row_groups(source: Path, rows: int) -> list[tuple[Path, int, int]]:
    """Runs of row groups of Parquet files, each of about `rows` rows, or one larger group: the file, where the run begins
    in it, and its length. Empty for another kind of file.
    """
    import pyarrow.parquet

    runs: list[tuple[Path, int, int]] = []
    for path in parquet_files(source):
        metadata = pyarrow.parquet.ParquetFile(path).metadata
        start = 0
        for size in (metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)):
            if start and runs[-1][2] + size <= rows:
                runs[-1] = (path, runs[-1][1], runs[-1][2] + size)
            else:
                runs.append((path, start, size))
            start += size
    return runs


def row_count(files: Iterable[Path]) -> int:
    """How many rows Parquet files have together."""
    import pyarrow.parquet

    return sum(pyarrow.parquet.ParquetFile(path).metadata.num_rows for path in files)


def uneven_columns(files: Sequence[Path], root: Path) -> dict[str, str]:
    """Columns that the first of some files below `root` has and another has not, or not of the same type, and what is wrong."""
    found: dict[str, str] = {}
    first, its_name = pl.read_parquet_schema(files[0]), files[0].relative_to(root).as_posix()
    for path in files[1:]:
        own, name = pl.read_parquet_schema(path), path.relative_to(root).as_posix()
        for column, kind in first.items():
            if column not in own:
                found.setdefault(column, f"is in {its_name} and not in {name}; expected it in every file")
            elif own[column] != kind:
                types = f"holds values of type {kind} in {its_name} and {own[column]} in {name}"
                found.setdefault(column, f"{types}; expected the same in every file")
    return found


def parquet_files(source: Path) -> list[Path]:
    """A Parquet file, or those of a folder in the order in which their rows are numbered; none for another file."""
    if source.is_dir():
        return sorted(source.rglob("*.parquet"))
    return [source] if source.suffix == ".parquet" else []


def scan_parquet(files: list[Path], root: Path) -> pl.LazyFrame:
    """Parquet files with what hive partitions below `root` say, which is text: 001 is no number."""
    parts = [_partitions(f.relative_to(root) if f != root else f.relative_to(f.parent)) for f in files]
    if not any(parts):
        return pl.scan_parquet(files, glob=False, hive_partitioning=False)
    return pl.concat(
        pl.scan_parquet(f, glob=False, hive_partitioning=False).with_columns(
            pl.lit(value, pl.String).alias(key) for key, value in own.items()
        )
        for f, own in zip(files, parts, strict=True)
    )


# How a partition is named whose value is missing.
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def _partitions(path: PurePath) -> dict[str, str | None]:
    """What the folders of a path say as hive partitions, such as organisation=T1."""
    pairs = (part.partition("=") for part in path.parent.parts if "=" in part)
    return {unquote(key): None if value == NO_VALUE else unquote(value) for key, _, value in pairs}


# Ways to an address that Polars has itself.
OPENED_BY_POLARS = ("s3", "s3a", "gs", "gcs", "az", "azure", "adl", "abfs", "abfss", "http", "https", "hf", "file")


def scan_address(address: str) -> pl.LazyFrame:
    """Parquet files at an address that Polars opens; what hive partitions say is text."""
    scan = partial(pl.scan_parquet, address, try_parse_hive_dates=False)
    plain, more = (scan(hive_partitioning=hive).collect_schema().names() for hive in (False, True))
    keys = [name for name in more if name not in plain]
    if not keys:
        return scan(hive_partitioning=False)
    return scan(hive_partitioning=True, hive_schema=pl.Schema(dict.fromkeys(keys, pl.String)))


def scan_elsewhere(address: str, name: str) -> tuple[pl.LazyFrame, int]:
    """Parquet files at an address that fsspec opens, such as sftp or a share of Windows, and how many rows they have."""
    try:
        import fsspec  # type: ignore[import-untyped]
    except ImportError:
        raise StocktakeError(
            f"{name}: an address of this kind needs fsspec (pip install 'stocktake[fsspec]')."
        ) from None
    import pyarrow
    import pyarrow.dataset

    try:
        filesystem, root = fsspec.core.url_to_fs(address)
    except ImportError as error:
        # It names the package that a kind of address needs.
        raise StocktakeError(f"{name}: {str(error).rstrip('.')}.") from None
    except ValueError:
        # Its words may hold a password.
        raise StocktakeError(f"{name}: no address of a kind that is known here.") from None
    files = sorted(f for f in filesystem.find(root) if f.endswith(".parquet"))
    if not files:
        raise StocktakeError(f"{name}: no Parquet file at this address.")
    below = (PurePosixPath(f.removeprefix(root).lstrip("/")) for f in files)
    told = pyarrow.schema([(key, pyarrow.string()) for key in dict.fromkeys(k for p in below for k in _partitions(p))])
    partitioning = pyarrow.dataset.partitioning(told, flavor="hive") if told.names else None
    found = pyarrow.dataset.dataset(
        files, filesystem=filesystem, format="parquet", partitioning=partitioning, partition_base_dir=root
    )
    return pl.scan_pyarrow_dataset(found), int(found.count_rows())
