"""The sweep of the blob store: all that nothing refers to, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.server.support import drain, on_both

from stepwell import clock
from stepwell.errors import Unavailable
from stepwell.ids import new_id, version_7
from stepwell.server.app import Server
from stepwell.server.blobs import service
from stepwell.server.blobs.service import BlobMissing, BlobUnknown, Kind
from stepwell.server.blobs.steps import Sweep
from stepwell.server.blobs.store import hour_of
from stepwell.server.services import Services

DAY = timedelta(days=1)


def made_at(at: datetime) -> UUID:
    """An id as it would have been made then."""
    return version_7(int(at.timestamp() * 1000), new_id().int & ((1 << 62) - 1))


def enter(server: Server, blob_id: UUID, kind: Kind = Kind.REPORT, run: UUID | None = None) -> None:
    with server.db.write() as conn:
        service.enter(conn, blob_id, kind, 1, run)


def drop(server: Server, *ids: UUID) -> None:
    with server.db.write() as conn:
        service.drop(conn, ids)


def kept(server: Server, *ids: UUID) -> list[bool]:
    found = []
    for one in ids:
        try:
            server.services.blobs.get(one)
            found.append(True)
        except BlobMissing:
            found.append(False)
    return found


def rows(server: Server) -> int:
    with server.db.read() as conn:
        return int(conn.exec_driver_sql("SELECT count(*) FROM blobs").scalar_one())


def sweep(server: Server, state: dict[str, Any] | None = None) -> Any:
    return Sweep(server.services).run(state)


@on_both
def test_what_was_let_go_is_removed_and_the_rest_stays(server: Server) -> None:
    kept_one, gone = (service.upload(server.services.blobs, b"x") for _ in range(2))
    enter(server, kept_one)
    enter(server, gone)
    drop(server, gone)
    sweep(server)
    assert kept(server, kept_one, gone) == [True, False]
    assert rows(server) == 1


@on_both
def test_an_upload_that_was_never_entered_is_swept_when_it_is_old(server: Server) -> None:
    """A young one may be entered any moment: its request is still at work."""
    now = clock.now()
    ids = [made_at(now - 1.5 * DAY), made_at(now - 1.5 * DAY), made_at(now)]
    for one in ids:
        server.services.blobs.put(one, b"x")
    enter(server, ids[0])
    sweep(server)
    assert kept(server, *ids) == [True, False, True]


def test_each_hour_is_looked_through_once(server: Server) -> None:
    before = clock.now() - DAY
    first = sweep(server)
    hour = datetime.fromisoformat(first.state["hour"])
    assert hour_of(made_at(before)) <= hour <= clock.now() - DAY
    late = made_at(hour - timedelta(hours=1))
    server.services.blobs.put(late, b"x")
    sweep(server, first.state)
    assert kept(server, late) == [True]


@on_both
def test_an_upload_that_nothing_came_to_refer_to_is_swept_after_a_day(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, used, unused = new_id(), *(service.upload(server.services.blobs, b"x") for _ in "ab")
    for one in (used, unused):
        enter(server, one, Kind.UPLOAD, run)
    with server.db.write() as conn:
        service.attach(conn, used, run, Kind.RESULT)
    sweep(server)
    assert kept(server, used, unused) == [True, True]
    with server.db.write() as conn:
        conn.exec_driver_sql("UPDATE blobs SET created_at = '2026-01-01T00:00:00.000000Z'")
    sweep(server)
    assert kept(server, used, unused) == [True, False]


@on_both
def test_only_an_upload_of_the_run_can_be_referred_to_and_only_once(server: Server) -> None:
    run, one = new_id(), service.upload(server.services.blobs, b"x")
    enter(server, one, Kind.UPLOAD, run)
    with server.db.write() as conn:
        for blob_id, of in ((one, new_id()), (new_id(), run)):
            with pytest.raises(BlobUnknown):
                service.attach(conn, blob_id, of, Kind.REPORT)
        service.attach(conn, one, run, Kind.REPORT)
        with pytest.raises(BlobUnknown):
            service.attach(conn, one, run, Kind.RESULT)


def test_what_a_sweep_could_not_remove_is_removed_by_the_next(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store was away in the middle: the rows still say what is to go."""
    ids = [service.upload(server.services.blobs, b"x") for _ in range(3)]
    for one in ids:
        enter(server, one)
    drop(server, *ids)
    blobs, delete = server.services.blobs, server.services.blobs.delete

    def half(some: Sequence[UUID]) -> None:
        delete(some[:1])
        raise Unavailable("The store is away.")

    monkeypatch.setattr(blobs, "delete", half)
    with pytest.raises(Unavailable):
        sweep(server)
    assert rows(server) == 3
    monkeypatch.undo()
    sweep(server)
    assert (kept(server, *ids), rows(server)) == ([False] * 3, 0)


def test_the_sweep_is_one_of_the_servers_steps(server: Server) -> None:
    one = service.upload(server.services.blobs, b"x")
    enter(server, one)
    drop(server, one)
    drain(server)
    assert kept(server, one) == [False]


def test_what_is_too_large_is_refused_before_it_is_uploaded(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LARGEST", 3)
    services: Services = server.services
    with pytest.raises(service.BlobTooLarge, match="At most 3"):
        service.upload(services.blobs, b"four")
