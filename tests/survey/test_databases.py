"""Respondents from wherever they are: a folder of Parquet files, an address, a DuckDB file and a PostgreSQL server give
what a file gives."""

from __future__ import annotations

import builtins
import io
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import fsspec  # type: ignore[import-untyped]
import polars as pl
import pytest
import yaml

import postgresql
from stocktake.problems import StocktakeError
from stocktake.run.core import open_run
from stocktake.run.counting import count_folder
from stocktake.run.quality import benchmark_folder
from stocktake.survey import responses as responses_module
from stocktake.survey.counted import CountedWave
from stocktake.survey.databases import Query
from stocktake.survey.tables import open_table
from survey.test_counted import bytes_of, people, write


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a PostgreSQL server of the tests' own."""
    try:
        with postgresql.server() as address:
            yield address
    except postgresql.Unavailable as error:
        pytest.skip(str(error))


def rows() -> pl.DataFrame:
    """Respondents, one of them twice, one with blanks about the organisation's code, and a column that nobody asks for."""
    found = people().with_columns(secret=pl.lit("not to be read"))
    return pl.concat([found, found.slice(7, 1)])


def fill(address: str, answers: pl.DataFrame) -> None:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS answers")
        cursor.adbc_ingest("answers", answers.to_arrow(), mode="create")
        connection.commit()


def asks(folder: Path, responses: Any) -> Path:
    text = yaml.safe_dump({"instrument": "own.yaml", "waves": [{"year": 2024, "responses": responses}]})
    (folder / "survey.yaml").write_text(text, "utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose respondents are in a Parquet file, counted."""
    made = write(tmp_path / "own", answers=rows())
    rows().write_parquet(made / "responses.parquet")
    benchmark_folder(asks(made, "responses.parquet"))
    return made


def same(folder: Path, responses: Any) -> None:
    """The results from another source are those of the Parquet file, to the last byte, and so is what was found."""
    before, found = bytes_of(folder), open_run(folder).results.provenance["waves"]
    run, _ = benchmark_folder(asks(folder, responses))
    assert bytes_of(folder) == before and run.results.provenance["waves"] == found
    assert run.findings.filter(pl.col("check") == "duplicate respondent").height == 1
    assert open_run(folder).organisations


def test_a_folder_of_parquet_files_and_an_address(folder: Path, tmp_path: Path) -> None:
    """Hive partitions say the organisation; rows in other files and another order change nothing."""
    parts = folder / "answers"
    for (code,), part in rows().partition_by("organisation", as_dict=True, include_key=False).items():
        target = parts / f"organisation={code}"
        target.mkdir(parents=True)
        part.head(20).write_parquet(target / "a.parquet")
        part.slice(20).write_parquet(target / "b.parquet")
    same(folder, "responses-2024.csv")
    same(folder, "answers")
    # Only partitions below the folder count, and what they say is text.
    inside = tmp_path / "wave=7" / "answers"
    shutil.copytree(parts / "organisation=T1", inside / "organisation=001")
    table = open_table(inside)
    assert "wave" not in table.columns and set(table.frame()["organisation"]) == {"001"}
    assert "organisation" not in open_table(inside / "organisation=001" / "a.parquet").columns
    assert set(open_table(f"file://{inside}/").frame()["organisation"]) == {"001"}
    assert open_table(f"file://{folder}/responses.parquet").frame().equals(rows())
    shutil.copytree(inside / "organisation=001", inside / "organisation=__HIVE_DEFAULT_PARTITION__")
    shutil.copytree(inside / "organisation=001", inside / "organisation=a%2Fb")
    assert set(open_table(inside).frame()["organisation"]) == {"001", "a/b", None}
    before = open_run(folder).results.provenance["inputs"]["responses 2024"]["sha256"]
    people(seed=5).head(1).write_parquet(parts / "organisation=T1" / "c.parquet")
    with pytest.raises(StocktakeError, match="answers has changed"):
        open_run(folder)
    (parts / "organisation=T1" / "c.parquet").unlink()
    same(folder, f"file://{parts}/")
    assert len(before) == 64 and "responses 2024" not in open_run(folder).results.provenance["inputs"]
    (folder / "empty").mkdir()
    with pytest.raises(StocktakeError, match="empty: no Parquet file in this folder"):
        benchmark_folder(asks(folder, "empty"))
    with pytest.raises(StocktakeError, match=r"at-all\.parquet: no such file; the address of a folder ends in a slash"):
        benchmark_folder(asks(folder, "file:///nowhere/at-all.parquet"))


def test_row_groups_of_files_are_read_by_whoever_counts_them(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many pieces, of one file and of a folder's, and a row group that is too large for one: the same bytes."""
    monkeypatch.setattr(responses_module, "FEWEST_ROWS", 50)
    monkeypatch.setattr(responses_module, "PIECES", 1_000)
    same(folder, "responses.parquet")
    rows().write_parquet(folder / "groups.parquet", row_group_size=20)
    table = open_table(folder / "groups.parquet")
    pieces = list(table.pieces(("respondent", "Q1"), 50))
    assert [start for start, _ in pieces] == [0, 40, 80, 120, 160, 200]
    assert pl.concat([load() for _, load in pieces]).equals(table.frame().select("respondent", "Q1"))
    same(folder, "groups.parquet")
    parts = folder / "answers"
    parts.mkdir()
    rows().head(100).write_parquet(parts / "a.parquet", row_group_size=30)
    rows().slice(100).write_parquet(parts / "b.parquet", row_group_size=50)
    assert [start for start, _ in open_table(parts).pieces(("Q1",), 50)] == [0, 30, 60, 100, 150, 200]
    same(folder, "answers")
    # A text file is read piece by piece here.
    assert [f.height for f in open_table(folder / "responses-2024.csv").batches(("Q1",), 100)] == [100, 100, 41]
    same(folder, "responses-2024.csv")


def test_addresses_that_fsspec_opens(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hive partitions in fsspec's own memory; what a partition says is text, and only what is counted is read."""
    memory = fsspec.filesystem("memory")
    for (code,), part in rows().partition_by("organisation", as_dict=True, include_key=False).items():
        for name, piece in (("a", part.head(20)), ("b", part.slice(20))):
            held = io.BytesIO()
            piece.write_parquet(held)
            memory.pipe(f"/answers/organisation={code}/{name}.parquet", held.getvalue())
    same(folder, "memory://answers")
    memory.pipe("/codes/code=001/a.parquet", memory.cat("/answers/organisation=T1/a.parquet"))
    codes = open_table("memory://codes")
    assert codes.rows == 20 and set(codes.frame()["code"]) == {"001"}
    # Above the address nothing is a partition.
    memory.pipe("/wave=7/codes/code=001/a.parquet", memory.cat("/answers/organisation=T1/a.parquet"))
    above = open_table("memory://wave=7/codes")
    assert "wave" not in above.columns and set(above.frame()["code"]) == {"001"}
    memory.pipe("/one/a.parquet", memory.cat("/answers/organisation=T1/a.parquet"))
    assert "organisation" not in open_table("memory://one/a.parquet").columns
    for address, words in (
        ("memory://nothing", "nothing: no Parquet file at this address"),
        ("nowhere://at/all", "all: no address of a kind that is known here"),
        ("ftp://user:pa#ss@host/x", "x: no address of a kind that is known here"),
    ):
        with pytest.raises(StocktakeError, match=words):
            open_table(address)

    def needs(address: str) -> Any:
        raise ImportError("Install s3fs to access S3.")

    with monkeypatch.context() as patched:
        patched.setattr(fsspec.core, "url_to_fs", needs)
        with pytest.raises(StocktakeError, match="answers: Install s3fs to access S3"):
            open_table("memory://answers")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(StocktakeError, match=r"needs fsspec \(pip install 'stocktake\[fsspec\]'\)"):
        open_table("memory://answers")


def test_duckdb(folder: Path, tmp_path: Path) -> None:
    answers = rows()
    with duckdb.connect(str(folder / "answers.duckdb")) as connection:
        connection.register("given", answers.to_arrow())
        connection.execute("CREATE TABLE answers AS SELECT * FROM given")
    same(folder, {"database": "answers.duckdb", "query": "SELECT * FROM answers;"})
    # Only what is counted is asked for: this column ends the query when it is worked out.
    trap = "SELECT * EXCLUDE (secret), error('the column was read') AS secret FROM answers"
    same(folder, {"database": "answers.duckdb", "query": trap})
    table = open_table(Query("answers.duckdb", "SELECT * FROM answers", folder))
    assert (table.name, table.rows) == ("the query of answers.duckdb", 241)
    sizes = [f.height for f in table.batches(("respondent", "Q1"), rows=100)]
    assert sizes == [100, 100, 41] and table.repeated("respondent") == {"r2024-7"}
    assert table.frame()["respondent"].to_list() == answers["respondent"].to_list()
    assert list(open_table(Query("answers.duckdb", "SELECT * FROM answers WHERE false", folder)).batches()) == []
    # Counts of what a database holds know one another by themselves.
    ((path, part),) = count_folder(folder, tmp_path / "counts")
    ((_, again),) = count_folder(folder, tmp_path / "again")
    assert part.sources == again.sources == CountedWave.load(path).sources and len(part.sources[0]) == 64


def test_a_server(folder: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(server, rows())
    same(folder, {"database": server, "query": "SELECT * FROM answers"})
    monkeypatch.setenv("OUR_ANSWERS", server)
    given = {"database": "env:OUR_ANSWERS", "query": "SELECT * FROM answers"}
    same(folder, given)
    # A value in the words of an error is not repeated, whether the query fails at once or on the way.
    for sql, words in (
        ("SELECT * FROM nowhere", 'the query of the server cannot be asked: .*relation "nowhere" does not exist'),
        ("SELECT respondent::int AS respondent FROM answers", "the query of the server"),
    ):
        table = Query(server, sql)
        with pytest.raises(StocktakeError, match=words) as error:
            table.schema()
            list(table.batches(("respondent",), 100))
        assert "r2024" not in str(error.value)


def test_databases_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Query("postgres://user:word@host/base", "SELECT 1").name == "the query of the server"
    with pytest.raises(StocktakeError, match="the variable OUR_ANSWERS of the environment is not set"):
        benchmark_folder(asks(folder, {"database": "env:OUR_ANSWERS", "query": "SELECT 1"}))
    with pytest.raises(StocktakeError, match=r"nowhere\.duckdb: no such DuckDB file"):
        benchmark_folder(asks(folder, {"database": "nowhere.duckdb", "query": "SELECT 1"}))
    (folder / "other.duckdb").write_text("no database", "utf-8")
    with pytest.raises(StocktakeError, match=r"the query of other\.duckdb: the database cannot be opened"):
        benchmark_folder(asks(folder, {"database": "other.duckdb", "query": "SELECT 1"}))
    with duckdb.connect(str(folder / "answers.duckdb")) as connection:
        # The last of many rows holds a word where a number is asked for.
        connection.execute(
            "CREATE TABLE answers AS SELECT CASE WHEN range = 499999 THEN 'r1' ELSE '1' END AS respondent, [1, 2] AS listed FROM range(500000)"
        )
    with pytest.raises(StocktakeError, match=r"cannot be asked: Catalog Error: Table with name nobody does not exist"):
        Query("answers.duckdb", "SELECT * FROM nobody", folder).rows()
    with pytest.raises(StocktakeError, match=r"cannot be asked: ConversionException; try it in a program") as error:
        list(Query("answers.duckdb", "SELECT CAST('r9' AS int) AS respondent", folder).batches(("respondent",), 5))
    assert "r9" not in str(error.value)
    query = Query("answers.duckdb", "SELECT * FROM answers", folder)
    with pytest.raises(StocktakeError, match="listed: holds values of type List"):
        list(open_table(query).batches(("listed",)))
    late = Query("answers.duckdb", "SELECT CAST(respondent AS int) AS respondent FROM answers", folder)
    with pytest.raises(StocktakeError, match="broke off") as error:
        list(late.batches(("respondent",), 10))
    assert "r1" not in str(error.value)
    with pytest.raises(StocktakeError, match="said on the way"):
        for _ in query.batches(("respondent",), 10):
            raise StocktakeError("said on the way")
    original = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] in ("duckdb", "adbc_driver_postgresql"):
            raise ImportError(name)
        return original(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(StocktakeError, match=r"needs pip install 'stocktake\[duckdb\]'"):
        query.rows()
    monkeypatch.setenv("OURS", "postgresql://nobody@/none")
    with pytest.raises(StocktakeError, match=r"the query of env:OURS needs pip install 'stocktake\[postgresql\]'"):
        Query("env:OURS", "SELECT 1").rows()
