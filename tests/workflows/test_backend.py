"""State and reports on a server that is away for a while."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest

from stepwell.errors import StoreUnavailable
from stepwell.ids import new_id
from stepwell.step import Claim
from stepwell.stores.http import ServerLink
from stepwell.stores.patience import patiently
from stepwell.workflows.backend import HttpBackend, OperationDesk
from stepwell.workflows.context import Facts, Versioned, Write
from stepwell.workflows.messages import Effects
from stepwell.workflows.reports import Report

CLAIM = Claim(new_id(), 4)


class Link(ServerLink):
    """Loses the first answers, and keeps what it was asked."""

    def __init__(self, lost: int = 0, answer: Any = None) -> None:
        super().__init__("http://nowhere", "token")
        self.lost, self.answer = lost, answer
        self.asked: list[tuple[str, Any]] = []

    def request(self, method: str, path: str, body: Any = None) -> Any:
        self.asked.append((path, body))
        if len(self.asked) <= self.lost:
            raise StoreUnavailable("It gave no answer.")
        return self.answer


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, without waiting."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def facts() -> Facts:
    return Facts(run_id=uuid4(), group="shop", workflow="sales", operation="load")


def test_a_lost_answer_is_asked_for_again_under_the_same_id(waits: list[float]) -> None:
    """So that the server can tell that it is the same write."""
    link = Link(lost=2)
    report = Report("rows", "text", "text/plain", b"a")
    effects = Effects(writes=[Write(scope="group", key="k", value=1)], reports=[report])
    HttpBackend(link, uuid4()).stage(CLAIM, effects)
    first, second, third, fourth = (body for _, body in link.asked)
    assert first == second == third
    assert first["id"] != fourth["id"]
    assert (first["kind"], first["claim_no"], fourth["content"]) == ("state", 4, "YQ==")
    assert waits == [0.1, 0.2]


def test_what_tells_why_is_in_no_sample_and_waits_for_no_server(waits: list[float]) -> None:
    """The operation goes on meanwhile; what could not be sent is sent when it has failed."""
    link = Link(lost=1)
    desk = OperationDesk(HttpBackend(link, uuid4()), CLAIM, facts())
    desk.report(Report("why", "text", "text/plain", b"step 1", on_failure=True))
    assert (len(link.asked), waits) == (1, [])
    desk.report(Report("why", "text", "text/plain", b"step 2", on_failure=True))
    desk.failed()
    (_, first), (_, second) = link.asked
    assert (second["payload"]["every"], second["payload"]["on_failure"]) == (0, True)
    assert first["content"] != second["content"]


def test_a_swap_at_once_is_not_sent_again(waits: list[float]) -> None:
    """It may have been applied."""
    link = Link(lost=1)
    with pytest.raises(StoreUnavailable):
        HttpBackend(link, uuid4()).write_now(
            CLAIM, Write(scope="group", key="k", expect_version=1, now=True)
        )
    assert (len(link.asked), waits) == (1, [])


def test_a_server_that_stays_away_is_waited_for_ever_longer(waits: list[float]) -> None:
    link = Link(lost=9, answer={"exists": True, "value": "a", "version": 2})
    assert HttpBackend(link, uuid4()).read("group", "k") == Versioned("a", 2)
    assert waits == [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 5.0, 5.0, 5.0]


def test_patience_may_end(waits: list[float]) -> None:
    link = Link(lost=9)
    with pytest.raises(StoreUnavailable):
        patiently(lambda: link.get("/"), (1.0, 2.0))
    assert len(link.asked) == 3


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("group", "scope=group"),
        ("workflow", "scope=workflow%3Asales"),
        ("operation", "scope=operation%3Asales%2Fload"),
    ],
)
def test_scopes_carry_the_names_that_they_belong_to(scope: str, path: str) -> None:
    link = Link(answer={"exists": False, "value": None, "version": 0})
    desk = OperationDesk(HttpBackend(link, uuid4()), CLAIM, facts())
    assert desk.read(scope, "k") is None
    assert path in link.asked[0][0]
