"""Statements that are made once: the same values, transaction and errors as SQLAlchemy's own."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import bindparam, insert, select
from tests.server.support import on_both

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.database.prepared import Prepared
from stepwell.server.database.session import Database, WriteConflict
from stepwell.server.database.tables import discoveries, groups, releases, runs

GIVEN = (
    *("name", "provisional", "launcher", "image", "environment", "secrets"),
    *("discover_with_secrets", "created_at", "created_by"),
)
READ = Prepared(select(runs).where(runs.c.id == bindparam("run")))
GROUP = Prepared(insert(groups).inline(), [c.key for c in groups.c if c.key in GIVEN])


def group(name: str) -> dict[str, object]:
    """A row of groups."""
    row = {"name": name, "provisional": False, "launcher": "process", "image": "x"}
    filled = {"environment": {"A": "1"}, "secrets": {}, "discover_with_secrets": False}
    return {**row, **filled, "created_at": clock.now(), "created_by": "me"}


def run(db: Database) -> UUID:
    """A run with values of every kind of column."""
    now, run_id, by, release = clock.now(), new_id(), new_id(), new_id()
    who = {"created_at": now, "created_by": "me"}
    found = {"id": by, "group_name": "g", "state": "failed", "trigger": "request"}
    made = {"id": release, "group_name": "g", "number": 1, "discovery_id": by}
    times = {"due_at": now, "created_at": now, "deadline_at": now, "attempt": 1, "warnings": 0}
    named = {"group_name": "g", "workflow": "w", "release_id": release, "digest": "d"}
    with db.write() as conn:
        GROUP.insert(conn, [group("g")])
        conn.execute(insert(discoveries).values(**found, requested_by="me", created_at=now))
        conn.execute(insert(releases).values(**made, **who))
        conn.execute(
            insert(runs).values(
                id=run_id,
                state="running",
                parameters={"süß": ["1", 2, None]},
                labels={"a": "b"},
                trigger="request",
                requested_by="me",
                **named,
                **times,
            )
        )
    return run_id


@on_both
def test_a_prepared_statement_reads_what_sqlalchemy_reads(db: Database) -> None:
    """Ids, instants, JSON and what is empty, by name."""
    run_id = run(db)
    with db.read() as conn:
        own = READ.one_or_none(conn, {"run": run_id})
        theirs = conn.execute(select(runs).where(runs.c.id == run_id)).mappings().one()
        assert own is not None
        assert dict(own) == dict(theirs)
        assert own["parameters"] == {"süß": ["1", 2, None]}
        assert READ.one_or_none(conn, {"run": new_id()}) is None


@on_both
def test_what_a_prepared_statement_writes_goes_with_its_transaction(db: Database) -> None:
    """It is kept if the block ends well, and only then."""
    with db.write() as conn:
        GROUP.insert(conn, [group("gone")])
        conn.rollback()
    with db.write() as conn:
        GROUP.insert(conn, [group("one"), group("two")])
    with db.read() as conn:
        found = conn.execute(select(groups.c.name, groups.c.environment)).all()
    assert sorted(tuple(one) for one in found) == [("one", {"A": "1"}), ("two", {"A": "1"})]


@on_both
def test_what_a_constraint_refuses_is_a_conflict_of_a_prepared_statement_too(db: Database) -> None:
    """The driver's errors are told as those of any statement."""
    with pytest.raises(WriteConflict), db.write() as conn:
        GROUP.insert(conn, [group("same"), group("same")])


@on_both
def test_what_is_read_first_by_a_prepared_statement_is_of_the_same_moment(db: Database) -> None:
    """On SQLite the first statement of a reading connection begins its transaction."""
    run_id = run(db)
    with db.read() as conn:
        assert READ.one_or_none(conn, {"run": run_id}) is not None
        assert conn.in_transaction()
