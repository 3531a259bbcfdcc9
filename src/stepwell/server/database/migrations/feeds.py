"""Triggers that write a row into `changes` when a row of another table was written.

So every writer is heard: each server, an older version during a rolling upgrade, and
whoever uses psql. A later migration adds a table by one more `tell`; what a migration
has told stays as it is, for migrations are history.
"""

from __future__ import annotations

from dataclasses import dataclass

from alembic import op


@dataclass(frozen=True, slots=True)
class Feed:
    """One table's triggers. `key`, `what` and `group` are SQL over the new row, as `NEW.x`."""

    table: str
    topic: str
    key: str
    what: str = "'changed'"
    group: str = "NEW.group_name"
    events: tuple[str, ...] = ("INSERT", "UPDATE")


FIRST = (
    Feed("runs", "runs", "NEW.id", "NEW.state"),
    Feed("attempts", "runs", "NEW.run_id", "'attempt'", "NULL", ("UPDATE",)),
    Feed("schedules", "schedules", "NEW.id"),
    Feed("ledger", "schedules", "NEW.schedule_id", "NEW.fate", "NULL", ("INSERT",)),
    Feed("groups", "groups", "NEW.name", group="NEW.name"),
    Feed("discoveries", "discoveries", "NEW.id", "NEW.state"),
    Feed("decisions", "reviews", "NEW.discovery_id", "NEW.decision", "NULL"),
    Feed("releases", "groups", "NEW.group_name", "'released'", events=("INSERT",)),
    Feed("reports", "reports", "NEW.id", events=("INSERT",)),
    Feed("state_entries", "state", "NEW.scope || '/' || NEW.key"),
    Feed("bulk", "bulk", "NEW.id", "NEW.state", "NULL"),
)


def tell(feed: Feed) -> None:
    """Make the triggers of one table."""
    if op.get_context().dialect.name == "sqlite":
        for event in feed.events:
            op.execute(_sqlite(feed, event))
        return
    op.execute(_function(feed))
    events = " OR ".join(feed.events)
    op.execute(
        f"CREATE TRIGGER {_name(feed)} AFTER {events} ON {feed.table} "
        f"FOR EACH ROW EXECUTE FUNCTION {_name(feed)}()"
    )


def silence(feed: Feed) -> None:
    """Remove them."""
    if op.get_context().dialect.name == "sqlite":
        for event in feed.events:
            op.execute(f"DROP TRIGGER {_name(feed)}_{event.lower()}")
        return
    op.execute(f"DROP TRIGGER {_name(feed)} ON {feed.table}")
    op.execute(f"DROP FUNCTION {_name(feed)}()")


def _name(feed: Feed) -> str:
    return f"changes_of_{feed.table}"


def _insert(feed: Feed, now: str) -> str:
    return (
        "INSERT INTO changes (at, topic, what, key, group_name) "  # noqa: S608
        f"VALUES ({now}, '{feed.topic}', {feed.what}, {feed.key}, {feed.group})"
    )


def _sqlite(feed: Feed, event: str) -> str:
    now = "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"
    return (
        f"CREATE TRIGGER {_name(feed)}_{event.lower()} AFTER {event} ON {feed.table} "
        f"BEGIN {_insert(feed, now)}; END"
    )


def _function(feed: Feed) -> str:
    return (
        f"CREATE FUNCTION {_name(feed)}() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN {_insert(feed, 'clock_timestamp()')}; RETURN NULL; END $$"
    )
