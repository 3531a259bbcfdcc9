"""The tick: each due instant is settled once, whatever happens around it (R29, R30)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.server.schedules.support import (
    NOON,
    Hands,
    end_runs,
    entered_runs,
    entry,
    faults,
    lines,
    next_due,
    release,
    run_rows,
    scheduled,
    ticked,
)
from tests.server.support import drain, on_both

from stepwell.outcome import Rerun
from stepwell.schedules import Cron, Every, Misfire, Once, Overlap
from stepwell.schedules.ledger import Rules
from stepwell.server.app import Server
from stepwell.server.runs.service import Starts
from stepwell.server.schedules import queries, service, steps
from stepwell.server.schedules.definitions.changing import TICK
from stepwell.server.schedules.ledger.books import Books, ByRunsRoom
from stepwell.server.schedules.queries import Row
from stepwell.server.schedules.steps import LONGEST_WAIT, QUEUE_WAIT, wake_at
from stepwell.server.settings import Settings
from stepwell.step import StepQuery, StepStatus

HOURLY = Every(hours=1)


class Faulty(ByRunsRoom):
    """The runs room, which refuses one workflow after it has begun to write."""

    def __init__(self, workflow: str) -> None:
        self.workflow = workflow

    def start(self, starts: Starts, schedule: Row, due_at: Any) -> UUID:
        run_id = super().start(starts, schedule, due_at)
        if schedule["name"] == self.workflow:
            raise RuntimeError("no luck")
        return run_id


def step_counts(server: Server) -> int:
    """How many operations are ready."""
    with server.db.store.transaction() as tx:
        return tx.count(StepQuery(name_prefix="v1/weather/", status=StepStatus.READY)).ready


@on_both
def test_a_due_instant_becomes_one_run_and_one_line(server: Server, hands: Hands) -> None:
    one = scheduled(server, HOURLY)
    hands.move(hours=1, seconds=2)
    ticked(server)
    ticked(server)
    assert lines(server, one) == [("ran", None, 1)]
    assert [row["due_at"] for row in run_rows(server, one)] == [NOON + timedelta(hours=1)]
    assert entered_runs(server, one) == [row["id"] for row in run_rows(server, one)]
    assert next_due(server, one) == NOON + timedelta(hours=2)
    assert step_counts(server) == 1


def test_a_downtime_is_shown_as_missed(server: Server, hands: Hands) -> None:
    one = scheduled(server, HOURLY)
    hands.move(hours=4.5)
    ticked(server)
    assert lines(server, one) == [("missed", "down", 3), ("ran", "late", 1)]
    assert faults(server, one) == []


def test_with_misfire_all_and_a_queue_the_late_ones_run_one_after_another(
    server: Server, hands: Hands
) -> None:
    one = scheduled(server, Every(hours=1, misfire=Misfire.ALL, overlap=Overlap.QUEUE))
    hands.move(hours=3.5)
    for _ in range(3):
        ticked(server)
        end_runs(server)
    assert lines(server, one) == [("ran", "late", 1), *[("ran", "waited", 1)] * 2]
    assert len(run_rows(server, one)) == 3
    assert faults(server, one) == []


def test_catching_up_goes_on_in_bounded_transactions(server: Server, hands: Hands) -> None:
    one = scheduled(server, Every(minutes=1))
    hands.move(minutes=95, seconds=-1)
    ticked(server, Books(server.db, rules=Rules(at_once=10)))
    assert lines(server, one) == [("missed", "down", 93), ("ran", None, 1)]
    assert faults(server, one) == []


def test_of_a_long_downtime_a_hundred_run_however_many_transactions_that_takes(
    server: Server, hands: Hands
) -> None:
    """R30: those before them are missed, and say that it is the cap."""
    one = scheduled(server, Every(minutes=1, misfire=Misfire.ALL, overlap=Overlap.ALLOW))
    hands.move(minutes=130, seconds=30)
    ticked(server, Books(server.db, rules=Rules(at_once=7)))
    late = [("ran", "late", 1)] * 99
    assert lines(server, one) == [("missed", "cap", 30), *late, ("ran", None, 1)]
    assert len(run_rows(server, one)) == 100
    assert faults(server, one) == []


@on_both
def test_a_paused_schedule_is_entered_as_skipped(server: Server, hands: Hands) -> None:
    one = scheduled(server, HOURLY)
    hands.move(minutes=30)
    with server.db.write() as conn:
        service.pause(conn, server.services, one, "too hot", by="ada")
    for _ in range(3):
        hands.move(hours=1)
        ticked(server)
    with server.db.write() as conn:
        service.resume(conn, server.services, one, None, by="ada")
    hands.move(hours=1)
    ticked(server)
    assert lines(server, one) == [("skipped", "paused", 3), ("ran", "late", 1)]
    assert faults(server, one) == []


def test_what_was_due_before_a_pause_still_runs(server: Server, hands: Hands) -> None:
    """The tick has not come to it yet; the pause settles it first."""
    one = scheduled(server, HOURLY)
    hands.move(hours=1, seconds=1)
    with server.db.write() as conn:
        service.pause(conn, server.services, one, None, by="ada")
    assert lines(server, one) == [("ran", None, 1)]


def test_overlap_skip_is_entered(server: Server, hands: Hands) -> None:
    one = scheduled(server, Every(hours=1, overlap=Overlap.SKIP))
    for _ in range(3):
        hands.move(hours=1)
        ticked(server)
    assert lines(server, one) == [("ran", None, 1), ("skipped", "overlap", 2)]
    assert len(run_rows(server, one)) == 1


def test_overlap_allow_runs_side_by_side(server: Server, hands: Hands) -> None:
    one = scheduled(server, Every(hours=1, overlap=Overlap.ALLOW))
    for _ in range(2):
        hands.move(hours=1)
        ticked(server)
    assert len(run_rows(server, one)) == 2


@on_both
def test_overlap_queue_waits_until_the_run_before_has_ended(server: Server, hands: Hands) -> None:
    one = scheduled(server, Every(hours=1, overlap=Overlap.QUEUE))
    for _ in range(3):
        hands.move(hours=1)
        outcome = ticked(server)
    assert lines(server, one) == [("ran", None, 1), ("queued", None, 1), ("queued", None, 1)]
    assert len(run_rows(server, one)) == 1
    assert isinstance(outcome, Rerun)
    assert outcome.at == hands.now() + QUEUE_WAIT
    end_runs(server)
    ticked(server)
    ticked(server)
    assert lines(server, one)[1:] == [("ran", "waited", 1), ("queued", None, 1)]
    assert [row["due_at"] for row in run_rows(server, one)] == [
        NOON + timedelta(hours=1),
        NOON + timedelta(hours=2),
    ]
    assert faults(server, one) == []


def test_a_paused_schedule_does_not_start_what_is_queued(server: Server, hands: Hands) -> None:
    one = scheduled(server, Every(hours=1, overlap=Overlap.QUEUE))
    for _ in range(2):
        hands.move(hours=1)
        ticked(server)
    with server.db.write() as conn:
        service.pause(conn, server.services, one, None, by="ada")
    end_runs(server)
    assert ticked(server).at == hands.now() + LONGEST_WAIT
    assert lines(server, one)[1] == ("queued", None, 1)


@on_both
def test_overlap_replace_cancels_the_run_before_and_starts_when_it_has_ended(
    server: Server, hands: Hands
) -> None:
    one = scheduled(server, Every(hours=1, overlap=Overlap.REPLACE))
    for _ in range(3):
        hands.move(hours=1)
        ticked(server)
    assert lines(server, one) == [
        ("ran", None, 1),
        ("skipped", "replaced", 1),
        ("queued", None, 1),
    ]
    assert [row["state"] for row in run_rows(server, one)] == ["cancelling"]
    end_runs(server)
    ticked(server)
    assert [row["due_at"] for row in run_rows(server, one)] == [
        NOON + timedelta(hours=1),
        NOON + timedelta(hours=3),
    ]
    assert faults(server, one) == []


@on_both
def test_a_schedule_that_raises_is_blocked_and_the_others_go_on(
    server: Server, hands: Hands
) -> None:
    before, bad, after = (scheduled(server, HOURLY, name=name) for name in ("a", "bad", "c"))
    hands.move(hours=1)
    ticked(server, Books(server.db, runs=Faulty("bad")))
    assert lines(server, bad) == [("blocked", "RuntimeError: no luck", 1)]
    assert lines(server, before) == lines(server, after) == [("ran", None, 1)]
    assert run_rows(server, bad) == []
    assert step_counts(server) == 2, "what the blocked run had begun is taken back"
    assert next_due(server, bad) == NOON + timedelta(hours=2)


def test_blocked_instants_of_one_reason_are_one_line(server: Server, hands: Hands) -> None:
    bad = scheduled(server, HOURLY, name="bad")
    for _ in range(3):
        hands.move(hours=1)
        ticked(server, Books(server.db, runs=Faulty("bad")))
    assert lines(server, bad) == [("blocked", "RuntimeError: no luck", 3)]
    assert faults(server, bad) == []


def test_a_blocked_run_is_in_nobodys_way(server: Server, hands: Hands) -> None:
    """With overlap skip, the instants after a blocked one are tried, not skipped."""
    bad = scheduled(server, Every(hours=1, misfire=Misfire.ALL), name="bad")
    hands.move(hours=2.5)
    ticked(server, Books(server.db, runs=Faulty("bad")))
    assert lines(server, bad) == [("blocked", "RuntimeError: no luck", 2)]


def test_parameters_that_do_not_fit_any_more_are_said_in_the_ledger(
    server: Server, hands: Hands
) -> None:
    one = scheduled(server, HOURLY, parameters={"limit": "many"})
    hands.move(hours=1)
    ticked(server)
    [(fate, why, _)] = lines(server, one)
    assert fate == "blocked"
    assert "do not fit" in str(why)


@on_both
def test_a_spec_that_cannot_be_read_is_blocked_and_due_no_more(
    server: Server, hands: Hands
) -> None:
    bad, good = scheduled(server, HOURLY), scheduled(server, HOURLY)
    with server.db.write() as conn:
        queries.change(conn, bad, spec={"kind": "moon"})
    hands.move(hours=1)
    ticked(server)
    assert lines(server, bad)[0][:1] == ("blocked",)
    assert next_due(server, bad) is None
    assert lines(server, good) == [("ran", None, 1)]


def test_a_lost_database_blocks_nothing(server: Server, hands: Hands) -> None:
    """The whole tick is tried again later instead."""
    from stepwell.errors import StoreUnavailable

    class Lost(ByRunsRoom):
        def start(self, *_: Any) -> UUID:
            raise StoreUnavailable("gone")

    one = scheduled(server, HOURLY)
    hands.move(hours=1)
    with pytest.raises(StoreUnavailable):
        ticked(server, Books(server.db, runs=Lost()))
    assert lines(server, one) == []
    ticked(server)
    assert lines(server, one) == [("ran", None, 1)]


@on_both
def test_more_than_one_batch_is_settled_in_one_tick(
    server: Server, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepwell.server.schedules.steps.BATCH", 4)
    made = [scheduled(server, HOURLY) for _ in range(11)]
    hands.move(hours=1)
    outcome = ticked(server)
    assert all(lines(server, one) == [("ran", None, 1)] for one in made)
    assert outcome.at == hands.now() + LONGEST_WAIT


def test_so_many_runs_end_a_transaction(
    server: Server, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepwell.server.schedules.steps.STARTS", 2)
    made = [scheduled(server, HOURLY) for _ in range(5)]
    hands.move(hours=1)
    ticked(server)
    assert all(lines(server, one) == [("ran", None, 1)] for one in made)


def test_a_schedule_that_has_ended_is_due_no_more(server: Server, hands: Hands) -> None:
    one = scheduled(server, Once(NOON + timedelta(minutes=5)))
    hands.move(minutes=5)
    ticked(server)
    assert lines(server, one) == [("ran", None, 1)]
    assert next_due(server, one) is None
    assert faults(server, one) == []


def test_both_changes_of_the_clock_are_in_the_ledger_once(server: Server, hands: Hands) -> None:
    spec, due = Cron("30 2 * * *", "Europe/Oslo"), []
    one = scheduled(server, spec)
    for day in ("2026-03-28", "2026-10-24"):
        hands.at = NOON.fromisoformat(f"{day}T12:00:00+00:00")
        with server.db.write() as conn:
            queries.change(
                conn, one, next_due=Cron("30 2 * * *", "Europe/Oslo").next_after(hands.at)
            )
        for _ in range(48):
            hands.move(minutes=30)
            ticked(server)
            end_runs(server)
        due.append(run_rows(server, one)[-1]["due_at"].isoformat())
    assert due == ["2026-03-29T01:00:00+00:00", "2026-10-25T00:30:00+00:00"]
    assert lines(server, one) == [("ran", None, 1)] * 2


# -- the step ----------------------------------------------------------------------


@pytest.fixture
def ticking(settings: Settings) -> Iterator[Server]:
    """A server whose clock goes by itself."""
    made = Server(settings, launchers={})
    made.db.migrate()
    with made:
        release(made, entry("nightly"))
        yield made


@on_both
def test_the_tick_is_seeded_once_and_runs_on_the_engine(ticking: Server) -> None:
    server = ticking
    with server.db.store.transaction() as tx:
        assert tx.count(StepQuery(name=TICK)).ready == 1
    drain(server)
    with server.db.store.transaction() as tx:
        [step] = tx.search(StepQuery(name=TICK))
    assert step.execution_count >= 1
    assert step.failure_count == 0


def test_a_tick_that_was_put_off_by_hand_is_woken_by_the_next_seeding(ticking: Server) -> None:
    with ticking.db.store.transaction() as tx:
        [step] = tx.search(StepQuery(name=TICK))
        tx.reschedule(step.id, step.schedule_time + timedelta(days=365))
    with ticking.db.write() as conn:
        steps.seed(conn, ticking.services)
    with ticking.db.store.transaction() as tx:
        [woken] = tx.search(StepQuery(name=TICK))
    assert woken.schedule_time <= step.schedule_time + timedelta(minutes=1)


@on_both
def test_a_change_wakes_the_tick(ticking: Server) -> None:
    server = ticking
    drain(server)
    one = scheduled(server, HOURLY)
    with server.db.store.transaction() as tx:
        [tick] = tx.search(StepQuery(name=TICK))
        tx.reschedule(tick.id, tick.schedule_time + timedelta(days=1))
        [before] = tx.search(StepQuery(name=TICK))
    with server.db.write() as conn:
        service.pause(conn, server.services, one, None, by="ada")
    with server.db.store.transaction() as tx:
        [after] = tx.search(StepQuery(name=TICK))
    assert after.activation_no == before.activation_no + 1
    assert after.schedule_time < before.schedule_time


def test_it_comes_back_at_the_earliest_due_instant_and_at_least_every_minute() -> None:
    soon = NOON + timedelta(seconds=5)
    assert wake_at(NOON, soon, waiting=False) == soon
    assert wake_at(NOON, NOON + timedelta(days=1), waiting=False) == NOON + LONGEST_WAIT
    assert wake_at(NOON, None, waiting=False) == NOON + LONGEST_WAIT
    assert wake_at(NOON, None, waiting=True) == NOON + QUEUE_WAIT
    assert wake_at(NOON, NOON, waiting=False) > NOON
