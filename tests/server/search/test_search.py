"""Queries of runs on both databases: what is found, how it is paged, counted and explained."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient
from tests.server.search.support import made, released
from tests.server.support import Api, on_both, problem

from stepwell import clock
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.database.tables import attempts, run_labels
from stepwell.server.search import plan, service
from stepwell.server.search.meaning import Asker
from stepwell.step import new_step

NOW = clock.now()

RUNS: dict[str, dict[str, Any]] = {
    "good": {"parameters": {"customer": "acme", "limit": 5, "deep": {"a": "x"}, "dry": True}},
    "bad": {
        "state": "failed",
        "reason": "connection refused to db:5432",
        "failed_operation": "load",
        "fingerprint": "f1",
        "finished_at": NOW + timedelta(hours=10),  # the module may be much older than its test
    },
    "made good": {"state": "failed", "superseded_by": new_id(), "failed_operation": "fetch"},
    "running": {"state": "running", "finished_at": None, "trigger": "schedule", "attempt": 3},
    "hourly": {"workflow": "hourly", "digest": "sha256:4f2a", "parameters": {"name": "Åse 100%"}},
    "old": {"created_at": NOW - timedelta(days=3), "requested_by": "anna"},
}


@pytest.fixture
def ids(server: Server) -> dict[str, str]:
    released(server)
    given = [dict(one) for one in RUNS.values()]
    found = dict(zip(RUNS, made(server, *given), strict=True))
    now = clock.now()
    step = new_step("v1/weather/nightly/report", queue="runs", flow_id=UUID(found["running"]))
    with server.db.write() as conn:
        server.db.steps(conn).add([seal(step, JSON, now)])
        handle = {"node": "worker-7"}
        label = {"run_id": UUID(found["good"]), "key": "team", "value": "data"}
        conn.execute(insert(run_labels).values(label))
        conn.execute(
            insert(attempts).values(
                run_id=UUID(found["running"]),
                number=3,
                queued_at=now,
                handle=handle,
            )
        )
    return found


@pytest.fixture
def client(api: Api, ids: dict[str, str]) -> TestClient:
    return api("viewer")


def names(client: TestClient, ids: dict[str, str], query: str) -> list[str]:
    answer = client.get("runs", params={"q": query})
    assert answer.status_code == 200, answer.text
    by_id = {run_id: name for name, run_id in ids.items()}
    return [by_id[run["id"]] for run in answer.json()["items"]]


def paged(client: TestClient, **query: str) -> list[dict[str, Any]]:
    """All pages of a query."""
    pages = [client.get("runs", params=query).json()]
    while pages[-1]["next"]:
        pages.append(client.get("runs", params=query | {"cursor": pages[-1]["next"]}).json())
    return pages


@on_both
def test_each_qualifier_finds_what_it_says(client: TestClient, ids: dict[str, str]) -> None:
    by_id = {
        ids["bad"]: ["bad"],
        f"id:{ids['bad'][:18]}": [n for n in [*RECENT, "old"] if ids[n][:18] == ids["bad"][:18]],
    }
    expected = EXPECTED | by_id
    assert {query: names(client, ids, query) for query in expected} == expected


RECENT = ["hourly", "running", "made good", "bad", "good"]
EXPECTED = {
    "": [*RECENT, "old"],
    "state:failed": ["bad"],
    "state:superseded": ["made good"],
    "state:failed,superseded": ["made good", "bad"],
    "state:running,failed": ["running", "bad"],
    "-state:succeeded": ["running", "made good", "bad"],
    "workflow:hourly": ["hourly"],
    "workflow:hour*": ["hourly"],
    "-workflow:nightly": ["hourly"],
    "workflow:nightly state:failed": ["bad"],
    "group:weather state:running": ["running"],
    "group:other": [],
    "version:1": [*RECENT, "old"],
    "version:2": [],
    "image:4f": ["hourly"],
    "schedule:none": [*RECENT, "old"],
    "schedule:nightly": [],
    "trigger:schedule": ["running"],
    "step:load": ["bad"],
    "step:report": ["running"],
    'error:"connection refused"': ["bad"],
    "error:conn*5432": ["bad"],
    "cause:f1": ["bad"],
    "node:worker-7": ["running"],
    "by:anna": ["old"],
    "attempt>1": ["running"],
    "label:team=data": ["good"],
    "label:team": ["good"],
    "label:team:da*": ["good"],
    "label:other": [],
    "waiting:limit": [],
    "pool:etl": [],
    "attempt:3": ["running"],
    "took>5m": ["bad"],
    "took>5m state:succeeded": [],
    "since:2h": RECENT,
    "until:1d": ["old"],
    "since:1w until:1d": ["old"],
    "input.customer:acme": ["good"],
    "input.customer:ac*": ["good"],
    "input.limit:5": ["good"],
    "input.deep.a:x": ["good"],
    "input.dry:true": ["good"],
    "-input.customer:acme -by:anna": ["hourly", "running", "made good", "bad"],
    '"Åse 100%"': ["hourly"],
    "refused": ["bad"],
    "REFUSED": ["bad"],
    "100_": [],
}


@on_both
@pytest.mark.parametrize(
    ("query", "column", "says"),
    [
        ("state:faild", 1, "Did you mean 'failed'?"),
        ("since:2h stat:failed", 10, "Did you mean 'state'?"),
        ("since:yesterday", 1, "neither an age nor an instant"),
        ("took>five", 1, "no duration"),
        ("workflow>x", 1, "cannot be compared"),
        ("version:one", 1, "no number"),
        ("input.:x", 1, "names no parameter"),
        ("state:", 7, "Nothing stands after"),
    ],
)
def test_a_query_that_cannot_be_read_says_where_and_why(
    client: TestClient, query: str, column: int, says: str
) -> None:
    for path in ("runs", "runs/counts", "runs/histogram"):
        found = problem(client.get(path, params={"q": query}), 422, "query-invalid")
        assert says in found["detail"]
        assert found["problems"] == [{"column": column}]
        assert found["fix"]


@on_both
def test_pages_that_look_at_a_bounded_number_of_rows_find_everything_in_the_end(
    client: TestClient, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "WINDOW", 2)
    pages = paged(client, q="refused")
    assert [run["id"] for page in pages for run in page["items"]] == [ids["bad"]]
    assert [page["searched_to"] is None for page in pages] == [False] * (len(pages) - 1) + [True]
    assert len(pages) > 2


@on_both
def test_pages_of_several_looks_into_an_index_show_each_run_once_and_in_order(
    client: TestClient, server: Server, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the windows, of different states and of the same moment, fall."""
    wanted = {"workflow": "often", "created_at": NOW - timedelta(hours=1), "reason": "refused"}
    states = ("failed", "succeeded", "failed", "cancelled", "failed", "failed", "succeeded")
    more = made(server, *({**wanted, "state": state} for state in states))
    expected = sorted((one for one in more), reverse=True)
    monkeypatch.setattr(service, "FIRST", (1,))
    for size in (2, 3, 5):
        monkeypatch.setattr(service, "WINDOW", size)
        pages = paged(
            client, q="state:failed,succeeded,cancelled refused workflow:ofte*", limit="2"
        )
        assert [run["id"] for page in pages for run in page["items"]] == expected


@on_both
def test_a_page_reads_of_each_row_only_what_is_asked_of_it(
    server: Server, ids: dict[str, str]
) -> None:
    """The index tells how far a page goes; parameters are read of runs that are shown."""
    with server.db.read() as conn:
        made_of = plan.planned(Asker(conn, "me", NOW), "state:failed trigger:request label:team")
    names = {one.name for one in made_of.window(10).columns}
    assert names == {"id", "created_at", "trigger", "superseded_by", "state"}
    assert "trigger" in str(made_of.window(10))
    assert "trigger" not in str(made_of.end(10))


@on_both
def test_pages_by_an_index_are_whole(client: TestClient, ids: dict[str, str]) -> None:
    pages = paged(client, limit="2")
    assert sorted(run["id"] for page in pages for run in page["items"]) == sorted(ids.values())
    assert len(pages) == 3
    problem(client.get("runs", params={"cursor": "bm9uZQ"}), 422, "cursor-invalid")


@on_both
def test_counts_stop_at_a_limit_and_say_so(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(query: str, **more: Any) -> tuple[int, bool, str]:
        found = client.get("runs/counts", params={"q": query, **more}).json()
        return found["count"], found["more"], found["shown"]

    assert count("") == (6, False, "6")
    assert count("refused") == (1, False, "1")
    monkeypatch.setattr(service, "SHOWN", 3)
    assert count("") == (3, True, "3+")
    assert count("", exact=True) == (6, False, "6")
    monkeypatch.setattr(service, "FAR", 2)
    assert count("refused") == (0, True, "0+")


@on_both
def test_where_nothing_is_found_the_word_that_hides_most_is_named(client: TestClient) -> None:
    found = client.get("runs", params={"q": "state:failed by:anna workflow:nightly"}).json()
    assert found["items"] == []
    assert found["hint"]["clause"] in ("state:failed", "by:anna")
    assert found["hint"]["sentence"].startswith("Without `")
    assert client.get("runs", params={"q": "by:anna group:x version:9"}).json()["hint"] is None
    assert client.get("runs", params={"q": "by:anna"}).json()["hint"] is None


@on_both
def test_a_hint_looks_at_no_more_rows_than_a_page(
    client: TestClient, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "WINDOW", 1)
    found = client.get("runs", params={"q": "cause:nope input.customer:acme"}).json()
    assert (found["items"], found["hint"]) == ([], None)  # acme's is not the newest


@on_both
def test_the_histogram_counts_by_time_and_state(client: TestClient) -> None:
    found = client.get("runs/histogram", params={"q": "since:4d", "buckets": 4}).json()
    assert found["looked_at"] == 6
    assert found["seconds"] == 86400
    assert [one["counts"] for one in found["buckets"]] == [
        {"succeeded": 1},
        {"succeeded": 2, "failed": 2, "running": 1},
    ]
    assert client.get("runs/histogram").json()["looked_at"] == 5


@on_both
def test_completions_offer_qualifiers_and_names(client: TestClient) -> None:
    def offered(query: str, **more: Any) -> list[tuple[str, int]]:
        found = client.get("runs/completions", params={"q": query, **more}).json()
        return [(one["text"], one["column"]) for one in found["items"]]

    assert offered("st") == [("state:", 1), ("step:", 1)]
    assert offered("group:x -wor") == [("workflow:", 10)]
    assert offered("state:fa") == [("failed", 7)]
    assert offered("state:failed,run") == [("running", 14)]
    assert offered("workflow:n") == [("nightly", 10)]
    assert offered("by:") == [("me", 4)]
    assert offered("inp") == [("input.", 1)]
    assert offered("st group:x", at=3) == [("state:", 1), ("step:", 1)]
    assert offered('"st') == []
    assert len(offered("")) > 10


def test_by_me_is_whoever_asks(server: Server, api: Api, ids: dict[str, str]) -> None:
    client = api("viewer")
    mine = client.get("me").json()["name"]
    (own,) = made(server, {"requested_by": mine})
    found = client.get("runs", params={"q": "by:me"}).json()["items"]
    assert [run["id"] for run in found] == [own]


@on_both
def test_filters_of_their_own_hold_beside_the_query(client: TestClient) -> None:
    found = client.get("runs", params={"q": "refused", "state": "failed", "group": "weather"})
    assert len(found.json()["items"]) == 1
    assert client.get("runs", params={"q": "refused", "state": "running"}).json()["items"] == []


def test_what_is_planned_uses_an_index_for_what_it_can(server: Server) -> None:
    with server.db.read() as conn:
        asker = Asker(conn, "me", NOW)
        one = plan.planned(asker, "workflow:a state:failed,cancelled refused since:2h")
    assert (len(one.looks), len(one.rest), len(one.times)) == (2, 2, 1)
