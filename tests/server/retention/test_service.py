"""Each kind of things is swept by a step of its own, a bounded number at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, insert, select
from tests.server.support import drain, on_both

from stepwell import clock
from stepwell.engine import StepClient
from stepwell.server.app import Server
from stepwell.server.database.tables import answers
from stepwell.server.kept import KINDS
from stepwell.server.retention import service
from stepwell.server.retention.records import Kind
from stepwell.server.retention.steps import RETAIN
from stepwell.server.services import Services


def remember(server: Server, number: int, age: timedelta) -> None:
    at = clock.now() - age
    rows = [
        {"caller": "me", "key": f"{age}-{one}", "request_hash": "0", "created_at": at}
        for one in range(number)
    ]
    with server.db.write() as conn:
        conn.execute(insert(answers), rows)


def left(server: Server) -> int:
    with server.db.read() as conn:
        return conn.execute(select(func.count()).select_from(answers)).scalar_one()


@on_both
def test_what_is_old_goes_by_a_step_and_what_is_young_stays(server: Server) -> None:
    remember(server, 3, timedelta(days=2))
    remember(server, 2, timedelta(hours=2))
    drain(server, patience=0.0)
    assert left(server) == 2
    sweeps = StepClient(server.db.store).search(name=RETAIN)
    assert {step.unique_key for step in sweeps} == {one.name for one in KINDS if not one.aside}


@on_both
def test_a_preview_counts_and_changes_nothing(server: Server) -> None:
    remember(server, 3, timedelta(days=2))
    old = clock.now() - timedelta(days=1)
    kind = service.kind("answers")
    assert kind.count(server.services, old, 100) == 3
    assert kind.count(server.services, old, 2) == 2
    assert left(server) == 3


@on_both
def test_a_preview_says_what_another_length_would_remove(server: Server) -> None:
    remember(server, 3, timedelta(days=20))
    remember(server, 2, timedelta(days=8))

    def would_go(days: int | None) -> int:
        (found,) = service.prospects(server.services, ["answers"], days)
        return found.count

    assert [would_go(days) for days in (30, 10, 7, None)] == [0, 3, 5, 5]
    assert left(server) == 5


@on_both
def test_no_transaction_removes_more_than_it_was_told(server: Server) -> None:
    remember(server, 5, timedelta(days=2))
    old = clock.now() - timedelta(days=1)
    assert service.kind("answers").sweep(server.services, old, 2) == 2
    assert left(server) == 3


def test_a_sweep_whose_time_is_over_says_that_there_is_more(server: Server) -> None:
    def endless(services: Services, before: datetime, limit: int) -> int:
        return limit

    kind = replace(service.kind("answers"), sweep=endless)
    assert service.sweep(server.services, kind, seconds=0.0).more


def test_what_is_kept_for_ever_is_not_even_looked_at(server: Server) -> None:
    def never(services: Services, before: datetime, limit: int) -> int:
        raise AssertionError

    kind = Kind("things", "Things.", lambda _: None, never, never)
    assert service.sweep(server.services, kind, seconds=1.0) == service.Removed(0, more=False)


def test_an_unknown_kind_is_told_the_known_ones(server: Server) -> None:
    with pytest.raises(service.KindUnknown) as caught:
        service.kind("nothing")
    assert "answers" in caught.value.fix
