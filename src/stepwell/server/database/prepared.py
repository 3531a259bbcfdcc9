"""Statements that are made once, and then handed to the driver as they are.

What a container asks is a handful of statements on one row each. SQLAlchemy looks up how to run
such a statement, and how to read its answer, each time: five times what the database needs.
Here both are found at the first run; the texts, and the types of columns, stay SQLAlchemy's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import JSON, Connection, Insert, RowMapping, Select
from sqlalchemy.engine import Dialect, MappingResult
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import DBAPIError

Values: TypeAlias = Mapping[str, Any]
Convert: TypeAlias = Callable[[Any], Any] | None


class Prepared:
    """A SELECT with `bindparam`s of fixed number, or an INSERT of the named columns.

    It is part of the connection's transaction, and raises what SQLAlchemy does.
    """

    def __init__(self, statement: Select[Any] | Insert, columns: Sequence[str] = ()) -> None:
        self._statement, self._columns = statement, list(columns)
        self._forms: dict[str, _Form] = {}

    def rows(self, conn: Connection, values: Values) -> MappingResult:
        """What a SELECT finds."""
        found = self.tuples(conn, values)
        return IteratorResult(self._form(conn.dialect).names, iter(found)).mappings()

    def tuples(self, conn: Connection, values: Values) -> list[tuple[Any, ...]]:
        """The same as plain tuples, for many rows of few columns."""
        form, driver = self._form(conn.dialect), _driver(conn)
        with _Wrapped(form, conn.dialect):
            found = driver.execute(form.text, form.bound(values)).fetchall()
        return list(map(form.read, found))

    def one_or_none(self, conn: Connection, values: Values) -> RowMapping | None:
        """The row that a SELECT finds, if any."""
        return self.rows(conn, values).one_or_none()

    def insert(self, conn: Connection, rows: Iterable[Values]) -> None:
        """Insert these rows."""
        form, driver = self._form(conn.dialect), _driver(conn)
        bound = [form.bound(row) for row in rows]
        with _Wrapped(form, conn.dialect):
            if len(bound) == 1:  # psycopg would open a pipeline for it, three round trips
                driver.execute(form.text, bound[0])
            elif form.text_for_many:
                driver.execute(form.text_for_many, {"rows": json.dumps(bound, default=str)})
            else:
                driver.cursor().executemany(form.text, bound)

    def _form(self, dialect: Dialect) -> _Form:
        found = self._forms.get(dialect.name)
        if found is None:
            found = self._forms[dialect.name] = _Form(self._statement, self._columns, dialect)
        return found


class _Form:
    """A statement as one driver takes it."""

    def __init__(
        self, statement: Select[Any] | Insert, columns: list[str], dialect: Dialect
    ) -> None:
        made: Any = statement.compile(dialect=dialect, column_keys=columns or None)
        self.text = str(made)
        names = made.positiontup or list(made.binds)
        self._by_name = not made.positional
        self.text_for_many: Final = _for_many(statement, columns, dialect)
        self._binds = [(name, _writes(made.binds[name].type, dialect)) for name in names]
        given = [] if isinstance(statement, Insert) else list(statement.selected_columns)
        self.names: Final = SimpleResultMetaData([str(one.key) for one in given])
        reads = [_reads(one.type, dialect) for one in given]
        self._reads = [(place, read) for place, read in enumerate(reads) if read is not None]

    def bound(self, values: Values) -> Any:
        """The parameters in the driver's own form."""
        bound = [
            values[name] if write is None else write(values[name]) for name, write in self._binds
        ]
        if self._by_name:
            return dict(zip((name for name, _ in self._binds), bound, strict=True))
        return bound

    def read(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """A row of the driver, as Python values."""
        values = list(row)
        for place, read in self._reads:
            values[place] = read(values[place])
        return tuple(values)


def _for_many(statement: Select[Any] | Insert, columns: list[str], dialect: Dialect) -> str | None:
    """An INSERT of any number of rows, given as one JSON text; for PostgreSQL, whose driver
    runs a statement for each otherwise. Of tables without columns of JSON."""
    if not isinstance(statement, Insert) or dialect.name != "postgresql":
        return None
    table: Any = statement.table
    if any(isinstance(one.type, JSON) for one in table.c):
        return None
    names = ", ".join(columns)
    rows = f"json_populate_recordset(NULL::{table.name}, %(rows)s::json)"
    return f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {rows}"  # noqa: S608 - our own names


class _Wrapped:
    """The driver's errors as SQLAlchemy's, which `session.translated` knows."""

    __slots__ = ("_dialect", "_form")

    def __init__(self, form: _Form, dialect: Dialect) -> None:
        self._form, self._dialect = form, dialect

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        drivers: Any = self._dialect.loaded_dbapi
        if isinstance(error, drivers.Error):
            raise DBAPIError.instance(
                self._form.text, None, error, drivers.Error, dialect=self._dialect
            ) from error


def _driver(conn: Connection) -> Any:
    if not conn.in_transaction():
        conn.begin()
    return conn.connection.driver_connection


def _writes(kind: Any, dialect: Dialect) -> Convert:
    found: Convert = kind.dialect_impl(dialect).bind_processor(dialect)
    return found


def _reads(kind: Any, dialect: Dialect) -> Convert:
    found: Convert = kind.dialect_impl(dialect).result_processor(dialect, None)
    return found
