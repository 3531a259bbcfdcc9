"""Rooms say what happened, in their own transaction."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from tests.server.support import on_both

from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.database.tables import occasions
from stepwell.server.notifications import service
from stepwell.server.notifications.records import Kind, Occasion


def late(**values: object) -> Occasion:
    return Occasion(kind=Kind.LATE, group="weather", sentence="It is late.", **values)  # type: ignore[arg-type]


@on_both
def test_an_occasion_commits_with_what_it_is_about(server: Server) -> None:
    with server.db.write() as conn:
        made = service.occur(conn, server.services, late(workflow="nightly", details={"by": 5}))
    with server.db.read() as conn:
        row = conn.execute(select(occasions)).mappings().one()
    assert (row["id"], row["kind"], row["details"]) == (made, "late", {"by": 5})


@on_both
def test_an_occasion_of_a_transaction_that_rolls_back_never_was(server: Server) -> None:
    def write() -> None:
        with server.db.write() as conn:
            service.occur(conn, server.db, late())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    with server.db.read() as conn:
        assert conn.execute(select(occasions)).all() == []


def test_occasions_of_one_fingerprint_have_one_cause() -> None:
    """Whatever schedule or workflow they come from."""
    one = late(workflow="nightly", fingerprint="abc")
    other = late(workflow="hourly", fingerprint="abc", schedule_id=new_id())
    assert one.cause == other.cause == "abc"


def test_without_a_fingerprint_the_place_is_the_cause() -> None:
    schedule = new_id()
    assert (
        late(workflow="nightly", schedule_id=schedule).cause == f"late:weather/nightly/{schedule}"
    )
    assert late().cause == "late:weather"
