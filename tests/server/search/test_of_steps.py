"""The query language of steps: what a query sets, and what it refuses at which column."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.support import Api, on_both, problem

from stepwell.engine import StepClient
from stepwell.server.app import Server
from stepwell.server.search.language import QueryInvalid
from stepwell.server.search.of_steps import QUALIFIERS, fields
from stepwell.step import EndedAs, Priority, StepQuery, StepStatus, new_step

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ID = UUID("0198f2aa-1111-7000-8000-000000000000")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("state:failed", {"status": StepStatus.FAILED}),
        ("ended:cancelled", {"ended_as": EndedAs.CANCELLED}),
        ("claimed:yes", {"claimed": True}),
        ("claimed:no state:ready", {"claimed": False, "status": StepStatus.READY}),
        ("name:v1/shop/load", {"name": "v1/shop/load"}),
        ("name:v1/shop/*", {"name_prefix": "v1/shop/"}),
        ("search:order-*", {"search_key_prefix": "order-"}),
        ("correlation:req-7", {"correlation_id": "req-7"}),
        ("priority:high", {"priority": Priority.HIGH}),
        ('error:"connection refused"', {"description_contains": "connection refused"}),
        (f"id:{ID}", {"ids": (ID,)}),
        (f"flow:{ID.hex}", {"flow_id": ID}),
        ("failures>2", {"failure_count_from": 3}),
        ("failures>=2", {"failure_count_from": 2}),
        ("executions<2", {"execution_count_to": 2}),
        ("executions<=2", {"execution_count_to": 3}),
        ("lost:1", {"lost_count_from": 1, "lost_count_to": 2}),
        ("took>5m", {"duration_from": 300.0}),
        ("took<1h30m", {"duration_to": 5400.0}),
        ("since:2h", {"created_from": NOW - timedelta(hours=2)}),
        ("until:2026-01-31", {"created_to": datetime(2026, 1, 31, tzinfo=UTC)}),
        (f"copy:{ID}", {"copy_of": ID}),
        ("due-until:2026-01-31", {"scheduled_to": datetime(2026, 1, 31, tzinfo=UTC)}),
        ("ended-since:2h", {"ended_from": NOW - timedelta(hours=2)}),
        ("queue:mail failures>0", {"queue": "mail", "failure_count_from": 1}),
    ],
)
def test_words_are_fields_of_a_query_of_steps(text: str, found: dict[str, Any]) -> None:
    assert fields(text, NOW) == found
    StepQuery(**found)


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("queue:x refused", 9, "no search for 'refused' anywhere"),
        ("stat:failed", 1, "Did you mean 'state'?"),
        ("-state:failed", 1, "cannot be negated"),
        ("state:failed,done", 1, "takes one value"),
        ("queue>x", 1, "cannot be compared"),
        ("state:waiting", 1, "one of ready, done, failed"),
        ("name:*load", 1, "at its end only"),
        ("id:0198", 1, "Give all of it"),
        ("failures>many", 1, "no number"),
        ("took>long", 1, "no duration"),
        ("since:2h since:3h", 10, "said twice"),
        ("failures:1 failures>0", 12, "said twice"),
    ],
)
def test_a_mistake_is_told_with_its_column(text: str, column: int, says: str) -> None:
    with pytest.raises(QueryInvalid) as caught:
        fields(text, NOW)
    assert caught.value.column == column
    assert says in f"{caught.value.what} {caught.value.why} {caught.value.fix}"


@pytest.mark.parametrize("name", QUALIFIERS)
def test_every_example_can_be_read(name: str) -> None:
    example = QUALIFIERS[name].example.replace("0198f2aa-…", str(ID))
    StepQuery(**fields(example, NOW))


def column_of_mistake(text: str) -> int | None:
    try:
        StepQuery(**fields(text, NOW))
    except QueryInvalid as error:
        return error.column
    return None


@given(st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    column = column_of_mistake(text)
    assert column is None or 1 <= column <= len(text) + 1


@on_both
def test_the_api_finds_and_counts_by_a_query(server: Server, api: Api) -> None:
    steps = StepClient(server.db.store)
    steps.add_many(new_step("v1/shop/load", n, search_key=f"order-{n}") for n in range(3))
    steps.add(new_step("v1/mail/send", queue="mail"))
    client = api("viewer")
    found = client.get("steps", params={"q": "name:v1/shop/* search:order-2"}).json()["items"]
    assert [one["search_key"] for one in found] == ["order-2"]
    counted = client.get("steps/counts", params={"q": "state:ready name:v1/shop/*"}).json()
    assert counted["ready"] == 3
    narrowed = client.get("steps", params={"q": "state:ready", "queue": "mail"}).json()["items"]
    assert [one["name"] for one in narrowed] == ["v1/mail/send"]
    refused = problem(client.get("steps", params={"q": "stat:ready"}), 422, "query-invalid")
    assert refused["problems"] == [{"column": 1}]


def test_a_query_of_steps_is_completed_with_its_own_words(api: Api) -> None:
    client = api("viewer")

    def offered(query: str, **more: Any) -> list[tuple[str, int]]:
        found = client.get("steps/completions", params={"q": query, **more}).json()
        return [(one["text"], one["column"]) for one in found["items"]]

    assert offered("fl") == [("flow:", 1)]
    assert offered("queue:mail fa") == [("failures:", 12)]
    assert offered("state:") == [("ready", 7), ("done", 7), ("failed", 7)]
    assert ("24h", 13) in offered("ended-since:")
    assert offered("fl queue:mail", at=3) == [("flow:", 1)]
    assert offered("workflow:") == []
