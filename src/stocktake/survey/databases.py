"""Respondents in a database: only what is counted is asked for, and it is read as it comes, so that it need not fit in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from stocktake.problems import StocktakeError
from stocktake.survey.coding import text

SERVERS = ("postgresql://", "postgres://")
# A database whose address holds a password is named by a variable of the environment.
VARIABLE = "env:"
# Errors that come before anything is read: PostgreSQL's class of states for syntax and unknown names, and DuckDB's kinds.
STATEMENT, UNREAD = "42", ("ParserException", "BinderException", "CatalogException")
# Rows that DuckDB sends at a time.
BATCH = 65_536
# What is to be installed for each kind of database.
INSTALL = {
    "duckdb": "pip install 'stocktake[duckdb]'",
    "adbc_driver_postgresql": "pip install 'stocktake[postgresql]'",
}


@dataclass(frozen=True)
class Query:
    """A query of a database, which gives one row a respondent (or a person invited).

    `database` is a DuckDB file, the address of a PostgreSQL server, or `env:NAME` for an address in a variable of the
    environment. The rows have the order in which the database gives them.
    """

    database: str
    sql: str
    folder: Path = Path()

    @property
    def name(self) -> str:
        """The query in messages: never the address, which may hold a password."""
        if self.database.startswith(VARIABLE):
            return f"the query of {self.database}"
        if self.database.startswith(SERVERS):
            return "the query of the server"
        return f"the query of {Path(self.database).name}"

    def schema(self) -> pl.Schema:
        """Names and types of the query's columns; raises StocktakeError where the query cannot be asked."""
        with self._asked(f"SELECT * FROM ({self._inner}) AS source LIMIT 0") as reader:
            return pl.Schema(pl.DataFrame(reader.schema.empty_table()).schema)

    def rows(self) -> int:
        """How many rows the query has, counted by the database."""
        with self._asked(f"SELECT CAST(count(*) AS bigint) AS n FROM ({self._inner}) AS source") as reader:
            return int(reader.read_all()["n"][0].as_py())

    def repeated(self, column: str) -> frozenset[str]:
        """The values of a column, as trimmed text, that are in it more than once; found by the database."""
        value = f"trim(CAST({_quoted(column)} AS varchar))"
        asked = f"SELECT {value} AS v FROM ({self._inner}) AS source GROUP BY {value} HAVING count(*) > 1"
        with self._asked(asked) as reader:
            return frozenset(text(pl.Series(pl.DataFrame(reader.read_all())["v"])).drop_nulls())

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
        """The columns, about so many rows at a time, read while the database sends them."""
        chosen = ", ".join(map(_quoted, columns))
        with self._asked(f"SELECT {chosen} FROM ({self._inner}) AS source") as reader:
            held: list[pl.DataFrame] = []
            size = 0
            for batch in reader:
                held.append(pl.DataFrame(batch))
                size += batch.num_rows
                while size >= rows:
                    whole = pl.concat(held)
                    yield whole.head(rows)
                    held, size = [whole.slice(rows)], size - rows
            if size:
                yield pl.concat(held)

    @property
    def _inner(self) -> str:
        return self.sql.strip().rstrip(";")

    @contextmanager
    def _asked(self, sql: str) -> Iterator[Any]:
        """The answer to a statement as an Arrow reader."""
        # A reader ends with its cursor, which is held until all is read.
        with self._connected() as connection, closing(connection.cursor()) as cursor:
            try:
                reader = _reader(cursor, sql)
            except Exception as error:
                raise StocktakeError(f"{self.name} cannot be asked: {_reason(error)}") from None
            try:
                yield reader
            except (StocktakeError, GeneratorExit):
                raise
            except Exception as error:
                raise StocktakeError(f"{self.name} broke off ({type(error).__name__}).") from None

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        address = self.database
        if address.startswith(VARIABLE):
            variable = address.removeprefix(VARIABLE)
            address = os.environ.get(variable, "")
            if not address:
                raise StocktakeError(
                    f"the variable {variable} of the environment is not set; expected a database's address."
                )
        server = address.startswith(SERVERS)
        module = "adbc_driver_postgresql" if server else "duckdb"
        if not server and not (self.folder / address).is_file():
            raise StocktakeError(f"{Path(address).name}: no such DuckDB file.")
        try:
            connection = _connect_server(address) if server else _connect_file(self.folder / address)
        except ImportError:
            raise StocktakeError(f"{self.name} needs {INSTALL[module]}.") from None
        except Exception as error:
            raise StocktakeError(f"{self.name}: the database cannot be opened ({type(error).__name__}).") from None
        try:
            yield connection
        finally:
            connection.close()


def _connect_server(
    address: str,
) -> Any:  # pragma: no cover - needs a server; the tests have one where PostgreSQL is installed
    from adbc_driver_postgresql import dbapi

    return dbapi.connect(address)


def _connect_file(path: Path) -> Any:
    import duckdb

    return duckdb.connect(str(path), read_only=True)


def _reader(cursor: Any, sql: str) -> Any:
    """An Arrow reader of what a statement gives, in batches while it is worked out."""
    if hasattr(cursor, "sql"):
        return cursor.sql(sql).to_arrow_reader(BATCH)
    cursor.execute(sql)  # pragma: no cover - as above
    return cursor.fetch_record_batch()  # pragma: no cover - as above


def _reason(error: Exception) -> str:
    """Why a statement was refused, in the driver's words where these are about the statement alone.

    Of any other error only its kind is repeated, for its words may hold a respondent's value.
    """
    of_statement = str(getattr(error, "sqlstate", "") or "").startswith(STATEMENT) or type(error).__name__ in UNREAD
    if of_statement:
        return str(error).strip().splitlines()[0].rstrip(".") + "."
    return f"{type(error).__name__}; try it in a program of the database."


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
