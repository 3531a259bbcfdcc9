"""What a handler writes on the connection of its step is there once, whoever dies (R26)."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from stepwell import Outcome, Registry, done, new_step
from stepwell.stores.sqlite import SQLiteStore
from stepwell.stores.sqlite.exclusive import SQLiteExclusive
from stepwell.testing.clock import VirtualClock
from stepwell.testing.crash_report import CrashReport
from stepwell.testing.crashing import crash_everywhere
from stepwell.testing.life import Moment


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[VirtualClock], SQLiteStore]:
    """Makes a new file, with the program's own table in it; `bookings` reads the last one."""
    numbers = count()

    def make(clock: VirtualClock) -> SQLiteStore:
        path = tmp_path / f"{next(numbers):04}.db"
        store = SQLiteStore(path, clock)
        store.migrate()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE booking (amount INTEGER)")
        return store

    return make


def bookings(folder: Path) -> list[Any]:
    with closing(sqlite3.connect(max(folder.glob("*.db")))) as connection:
        return connection.execute("SELECT amount FROM booking").fetchall()


def harms(report: CrashReport) -> list[tuple[str, dict[Any, int]]]:
    return [(crash.place.step, dict(crash.doubled)) for crash in report.crashes if crash.doubled]


def test_a_handler_with_a_connection_writes_exactly_once(
    tmp_path: Path, fresh: Callable[[VirtualClock], SQLiteStore]
) -> None:
    """R26: it may run twice; what it writes is there once."""
    registry = Registry()

    @registry.handler("v1/book")
    def book(state: int, connection: sqlite3.Connection) -> Outcome:
        connection.execute("INSERT INTO booking VALUES (?)", [state])
        return done(next=new_step("v1/book-more", state + 1))

    @registry.handler("v1/book-more")
    def book_more(state: int, connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO booking VALUES (?)", [state])

    report = crash_everywhere(
        lambda engine: engine.add(new_step("v1/book", 10)),
        registry,
        store=fresh,
        effects=lambda: bookings(tmp_path),
    )
    report.assert_effects_once()
    report.assert_same_ends()
    assert report.calm.effects == Counter([(10,), (11,)])
    assert [crash.place.moment for crash in report.crashes if crash.repeated] == 2 * [Moment.ENDED]
    assert len(report.crashes) == 10


def test_a_handler_with_a_connection_of_its_own_writes_twice(
    tmp_path: Path, fresh: Callable[[VirtualClock], SQLiteStore]
) -> None:
    registry = Registry()

    @registry.handler("v1/book")
    def book(state: int) -> None:
        with closing(sqlite3.connect(max(tmp_path.glob("*.db")))) as connection, connection:
            connection.execute("INSERT INTO booking VALUES (?)", [state])

    report = crash_everywhere(
        lambda engine: engine.add(new_step("v1/book", 10)),
        registry,
        store=fresh,
        effects=lambda: bookings(tmp_path),
    )
    assert harms(report) == [("v1/book", {(10,): 1})]


def test_a_store_that_commits_before_it_settles_is_noticed(
    tmp_path: Path,
    fresh: Callable[[VirtualClock], SQLiteStore],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Promise 4: what a handler writes commits with its settlement, or not at all."""
    registry = Registry()

    @registry.handler("v1/book")
    def book(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO booking VALUES (10)")

    @contextmanager
    def lend(self: SQLiteExclusive) -> Iterator[sqlite3.Connection]:
        yield self._sql.connection
        self._sql.connection.execute("COMMIT")
        self._sql.connection.execute("BEGIN IMMEDIATE")

    monkeypatch.setattr(SQLiteExclusive, "lend", lend)
    report = crash_everywhere(
        lambda engine: engine.add(new_step("v1/book")),
        registry,
        store=fresh,
        effects=lambda: bookings(tmp_path),
    )
    assert harms(report) == [("v1/book", {(10,): 1})]
