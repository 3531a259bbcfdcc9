"""Many schedules in one transaction: the same rows as one by one, and one never harms others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select, text
from tests.server.schedules.support import (
    GROUP,
    NOON,
    Hands,
    end_runs,
    entry,
    faults,
    lines,
    next_due,
    release,
    run_rows,
    scheduled,
    ticked,
)
from tests.server.support import on_both

from stepwell.schedules import Every, Misfire, Overlap, Schedule
from stepwell.server.app import Server
from stepwell.server.database.tables import run_labels
from stepwell.server.runs.service import Starts
from stepwell.server.schedules import queries
from stepwell.server.schedules.ledger.books import Books, ByRunsRoom
from stepwell.server.schedules.ledger.sheets import NotTogether, Together
from stepwell.server.schedules.queries import Row
from stepwell.step import StepQuery

HOURLY = Every(hours=1)
RUNNING: Any = [
    Every(hours=1, overlap=overlap, misfire=misfire) for overlap in Overlap for misfire in Misfire
]


def statements(server: Server) -> list[str]:
    """What is sent to the database from now on."""
    sent: list[str] = []
    event.listen(
        server.db.engine, "before_cursor_execute", lambda _c, _k, sql, *_: sent.append(sql)
    )
    return sent


def steps_ready(server: Server) -> tuple[int, int]:
    with server.db.store.transaction() as tx:
        operations = tx.count(StepQuery(name_prefix=f"v1/{GROUP}/")).ready
        return operations, tx.count(StepQuery(name="v1/server/supervise")).ready


def apart(*_: Any) -> Any:
    raise NotTogether


def fates(server: Server, hands: Hands, specs: list[Schedule]) -> list[Any]:
    """What becomes of schedules over some hours with a downtime, a pause and an ended run."""
    hands.at = NOON
    made = [scheduled(server, one) for one in specs]
    with server.db.write() as conn:
        paused = {"paused_at": NOON, "paused_until": NOON + timedelta(hours=6)}
        queries.change(conn, made[0], **paused)
    for hours in (1, 1, 4, 1, 1):
        hands.move(hours=hours)
        ticked(server)
        ticked(server)
        if hours == 4:
            end_runs(server)
    assert [faults(server, one) for one in made] == [[]] * len(made)
    return [
        (
            lines(server, one),
            [row["due_at"] for row in run_rows(server, one)],
            next_due(server, one),
        )
        for one in made
    ]


@on_both
def test_together_and_alone_make_the_same_books(
    server: Server, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = fates(server, hands, RUNNING)
    monkeypatch.setattr(Together, "page", apart)
    assert fates(server, hands, RUNNING) == together
    assert {fate for book, *_ in together for fate, *_ in book} >= {"ran", "skipped", "missed"}


@on_both
def test_statements_do_not_grow_with_the_schedules(server: Server, hands: Hands) -> None:
    for _ in range(5):
        scheduled(server, HOURLY)
    hands.move(hours=1)
    sent = statements(server)
    ticked(server)
    few = len(sent)
    end_runs(server)
    for _ in range(40):
        scheduled(server, HOURLY)
    hands.move(hours=1)
    del sent[:]
    ticked(server)
    assert len(sent) <= few + 5
    assert steps_ready(server) == (50, 50)


@on_both
def test_one_whose_start_is_refused_by_the_database_is_blocked_and_the_rest_goes_on(
    server: Server, hands: Hands
) -> None:
    class Broken(ByRunsRoom):
        def start(self, starts: Starts, schedule: Row, due_at: Any) -> UUID:
            if schedule["name"] == "bad":
                starts.conn.execute(text("INSERT INTO ledger (id) VALUES (NULL)"))
            return super().start(starts, schedule, due_at)

    good = [scheduled(server, HOURLY) for _ in range(3)]
    bad = scheduled(server, HOURLY, name="bad")
    hands.move(hours=1)
    ticked(server, Books(server.db, runs=Broken()))
    assert [lines(server, one) for one in good] == [[("ran", None, 1)]] * 3
    [(fate, why, count)] = lines(server, bad)
    assert (fate, count) == ("blocked", 1)
    assert "IntegrityError" in str(why)
    assert next_due(server, bad) == NOON + timedelta(hours=2)
    assert steps_ready(server) == (3, 3)


@on_both
def test_one_whose_rows_are_refused_is_blocked_and_the_rest_goes_on(
    server: Server, hands: Hands
) -> None:
    """Only the writing for all tells that something is wrong; each alone tells of which."""

    class Doubling(ByRunsRoom):
        def start(self, starts: Starts, schedule: Row, due_at: Any) -> UUID:
            run_id = super().start(starts, schedule, due_at)
            if schedule["name"] == "bad":
                starts._new[-1].header["id"] = None
            return run_id

    good = [scheduled(server, HOURLY) for _ in range(3)]
    bad = scheduled(server, HOURLY, name="bad")
    hands.move(hours=1)
    ticked(server, Books(server.db, runs=Doubling()))
    assert [lines(server, one) for one in good] == [[("ran", None, 1)]] * 3
    assert lines(server, bad)[0][0] == "blocked"
    assert [len(run_rows(server, one)) for one in [*good, bad]] == [1, 1, 1, 0]
    assert steps_ready(server) == (3, 3)


def test_a_workflow_that_is_gone_is_asked_for_once_and_blocks_each_of_its_schedules(
    server: Server, hands: Hands
) -> None:
    gone = [scheduled(server, HOURLY, workflow="gone") for _ in range(3)]
    there = scheduled(server, HOURLY)
    hands.move(hours=1)
    sent = statements(server)
    ticked(server)
    assert [lines(server, one)[0][0] for one in gone] == ["blocked"] * 3
    assert lines(server, there) == [("ran", None, 1)]
    assert sum("FROM release_workflows LEFT" in one for one in sent) == 2


@on_both
def test_each_run_has_the_labels_of_its_own_schedule(server: Server, hands: Hands) -> None:
    one, other = (scheduled(server, HOURLY, labels={"team": name}) for name in ("sea", "air"))
    plain = scheduled(server, HOURLY)
    hands.move(hours=1)
    ticked(server)
    rows = [run_rows(server, schedule_id)[0] for schedule_id in (one, other, plain)]
    assert [row["labels"] for row in rows] == [{"team": "sea"}, {"team": "air"}, None]
    with server.db.read() as conn:
        found = {(row.run_id, row.value) for row in conn.execute(select(run_labels))}
    assert found == {(rows[0]["id"], "sea"), (rows[1]["id"], "air")}


@on_both
def test_a_line_of_before_is_made_longer(server: Server, hands: Hands) -> None:
    made = [scheduled(server, HOURLY) for _ in range(3)]
    for _ in range(4):  # the first run never ends
        hands.move(hours=1)
        ticked(server)
    for one in made:
        assert lines(server, one) == [("ran", None, 1), ("skipped", "overlap", 3)]
        assert faults(server, one) == []


def test_a_second_workflow_does_not_get_the_release_of_the_first(
    server: Server, hands: Hands
) -> None:
    release(server, entry("nightly"), entry("other", limit=3))
    one, other = scheduled(server, HOURLY), scheduled(server, HOURLY, workflow="other")
    hands.move(hours=1)
    ticked(server)
    assert [run_rows(server, each)[0]["limits"] for each in (one, other)] == [None, {"workflow": 3}]
