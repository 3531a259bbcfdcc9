"""Requests that come at the same time share a transaction: what each of them may rely on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from sqlalchemy import Connection, event, select, text
from tests.server.support import on_both

from stepwell import clock
from stepwell.errors import NotFound, StoreUnavailable
from stepwell.server.audit import service as audit
from stepwell.server.database import tables
from stepwell.server.database.session import Database, WriteConflict
from stepwell.server.database.together import AT_ONCE, MOST, Together


class Busy:
    """A writer that others wait for: they come while it writes, and share what follows."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self, conn: Connection) -> str:
        self.begun.set()
        assert self.may_end.wait(90)
        return "busy"


def writes(name: str, error: Exception | None = None) -> Callable[[Connection], str]:
    """Writes a row of that name, then raises or returns the name."""

    def work(conn: Connection) -> str:
        audit.record(conn, "me", "thing.do", name)
        if error is not None:
            raise error
        return name

    return work


Tasks: TypeAlias = list[asyncio.Task[Any]]
Work: TypeAlias = Callable[[Connection], Any]


def shared(db: Database, *works: Work, then: Callable[[Tasks], object] = len) -> list[Any]:
    """What became of works that came while another one was writing; `then` is told of them."""

    async def ask() -> list[Any]:
        together, busy = Together(db), Busy()
        first = asyncio.create_task(together.write(busy))
        assert await asyncio.to_thread(busy.begun.wait, 90)
        tasks = [asyncio.create_task(together.write(work)) for work in works]
        await asyncio.sleep(0)  # each has taken its place
        then(tasks)
        busy.may_end.set()
        assert await first == "busy"
        return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(ask())


def kept(db: Database) -> list[str]:
    """The names of the rows that were kept, in the order in which they were written."""
    with db.read() as conn:
        return list(
            conn.execute(select(tables.audit.c.target).order_by(tables.audit.c.id)).scalars()
        )


def count_commits(db: Database) -> list[str]:
    """Grows by one at each commit."""
    found: list[str] = []
    event.listen(db.engine, "commit", lambda _: found.append("commit"))
    return found


def test_who_comes_while_one_writes_shares_the_next_transaction_in_order(db: Database) -> None:
    commits = count_commits(db)
    names = [f"row {number:02}" for number in range(20)]
    assert shared(db, *(writes(name) for name in names)) == names
    assert kept(db) == names
    assert len(commits) == 2


def test_only_so_many_share_one_so_that_others_can_write_too(db: Database) -> None:
    commits = count_commits(db)
    shared(db, *(writes(f"{number:03}") for number in range(MOST + 1)))
    assert len(kept(db)) == MOST + 1
    assert len(commits) == 3


def test_who_comes_alone_waits_for_nobody(db: Database) -> None:
    assert asyncio.run(Together(db).write(writes("alone"))) == "alone"
    assert kept(db) == ["alone"]


@on_both
def test_a_mistake_is_the_error_of_its_maker_alone(db: Database) -> None:
    """What it had written before is taken back, and nothing of its neighbours."""
    wrong = NotFound("There is no such thing.")
    answers = shared(db, writes("a"), writes("wrong", wrong), writes("b"))
    assert answers == ["a", wrong, "b"]
    assert sorted(kept(db)) == ["a", "b"]


@on_both
def test_what_the_database_refuses_is_told_in_our_words_to_who_asked_for_it(db: Database) -> None:
    def twice(conn: Connection) -> None:
        row = {"caller": "x", "key": "y", "request_hash": "0", "answer": 0}
        for _ in range(2):
            conn.execute(tables.answers.insert().values(**row, created_at=clock.now()))

    before, conflict, after = shared(db, writes("a"), twice, writes("b"))
    assert (before, after) == ("a", "b")
    assert isinstance(conflict, WriteConflict)
    assert sorted(kept(db)) == ["a", "b"]


def test_nobody_is_answered_before_the_commit(db: Database) -> None:
    """Who made a mistake neither: its neighbours' commit may fail, and it has to try again."""
    answered: list[list[bool]] = []

    def watch(tasks: Tasks) -> None:
        event.listen(db.engine, "commit", lambda _: answered.append([t.done() for t in tasks]))

    wrong = NotFound("There is no such thing.")
    assert shared(db, writes("a"), writes("b", wrong), then=watch) == ["a", wrong]
    assert answered == [[False, False]] * 2  # at the commit of the one before, and at theirs


def test_a_commit_that_fails_is_told_to_all_and_nothing_is_kept(db: Database) -> None:
    """Here by a constraint that SQLite looks at in the end."""
    with db.write() as conn:
        conn.execute(text("CREATE TABLE above (id INTEGER PRIMARY KEY)"))
        conn.execute(text("CREATE TABLE below (id REFERENCES above DEFERRABLE INITIALLY DEFERRED)"))

    def orphan(conn: Connection) -> str:
        conn.execute(text("INSERT INTO below VALUES (1)"))
        return "orphan"

    answers = shared(db, writes("a"), orphan, writes("b"))
    assert [type(one) for one in answers] == [WriteConflict] * 3
    assert kept(db) == []
    assert shared(db, writes("later")) == ["later"]


def full_disk(db: Database, statement: str) -> Work:
    """A work for which there is no room: a real limit of SQLite, as a disk has one."""
    with db.write() as conn:
        conn.execute(text("CREATE TABLE much (value)"))
        conn.execute(text("INSERT INTO much VALUES (1)"))

    def work(conn: Connection) -> None:
        pages = conn.execute(text("PRAGMA page_count")).scalar_one()
        conn.execute(text(f"PRAGMA max_page_count = {pages}")).close()
        try:
            conn.execute(text(statement))
        finally:
            conn.execute(text("PRAGMA max_page_count = 1073741823")).close()

    return work


def test_a_transaction_that_sqlite_gives_up_is_told_to_all_who_shared_it(db: Database) -> None:
    """It takes back what the neighbours wrote, too: none may hear that it was kept."""
    too_much = full_disk(db, "INSERT INTO much VALUES (zeroblob(10000000))")
    answers = shared(db, writes("a"), too_much, writes("b"))
    assert [type(one) for one in answers] == [StoreUnavailable] * 3
    assert "full" in answers[0].why
    assert kept(db) == []
    assert shared(db, writes("later")) == ["later"]


def test_what_sqlite_takes_back_alone_is_told_to_its_maker_alone(db: Database) -> None:
    too_much = full_disk(db, "UPDATE much SET value = zeroblob(10000000)")
    before, full, after = shared(db, writes("a"), too_much, writes("b"))
    assert (before, after) == ("a", "b")
    assert isinstance(full, StoreUnavailable)
    assert kept(db) == ["a", "b"]


def test_who_has_gone_holds_nobody_up(db: Database) -> None:
    works = [writes("gone"), writes("there")]
    gone, there = shared(db, *works, then=lambda tasks: tasks[0].cancel())
    assert isinstance(gone, asyncio.CancelledError)
    assert there == "there"


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_only_so_many_have_a_transaction_at_once_where_each_has_its_own(db: Database) -> None:
    """Each has a connection, and more would be opened for one request and closed after it."""
    begun, may_end = threading.Semaphore(0), threading.Event()

    def work(_: Connection) -> None:
        begun.release()
        assert may_end.wait(90)

    async def ask() -> bool:
        together = Together(db)
        tasks = [asyncio.create_task(together.write(work)) for _ in range(AT_ONCE + 1)]
        for _ in range(AT_ONCE):
            assert await asyncio.to_thread(begun.acquire, timeout=90)
        one_more = begun.acquire(blocking=False)
        may_end.set()
        await asyncio.gather(*tasks)
        return one_more

    assert asyncio.run(ask()) is False


def test_loops_have_lines_of_their_own(db: Database) -> None:
    """A server's app may be asked from several loops, as tests do."""
    together = Together(db)
    for name in ("a", "b"):
        assert asyncio.run(together.write(writes(name))) == name
    assert kept(db) == ["a", "b"]
