"""What is in force, with how it went lately."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, update
from starlette.testclient import TestClient
from tests.server.runs.support import GROUP, WORKFLOW, release, workflow
from tests.server.search.support import made
from tests.server.support import on_both

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.database.tables import groups, release_workflows, releases, schedules


def listed(client: TestClient, **words: Any) -> list[dict[str, Any]]:
    answer = client.get("workflows", params=words)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def plan(server: Server, name: str, *, due: datetime, paused: bool) -> None:
    now = clock.now()
    with server.db.write() as conn:
        conn.execute(
            insert(schedules).values(
                id=new_id(),
                group_name=GROUP,
                workflow=WORKFLOW,
                name=name,
                spec={"kind": "interval", "seconds": 60},
                origin="added",
                active=True,
                version=1,
                parameters={},
                next_due=due,
                created_at=now,
                changed_by="the test",
                paused_at=now if paused else None,
            )
        )


def following(server: Server, number: int, digest: str, **values: Any) -> None:
    """Another release of the group, made current."""
    made_id = new_id()
    with server.db.write() as conn:
        first = conn.execute(releases.select()).mappings().first()
        assert first is not None
        by = {"created_at": clock.now(), "created_by": "the test", **values}
        conn.execute(
            insert(releases).values(
                id=made_id,
                group_name=GROUP,
                number=number,
                discovery_id=first["discovery_id"],
                **by,
            )
        )
        conn.execute(
            insert(release_workflows).values(
                release_id=made_id,
                workflow=WORKFLOW,
                discovery_id=first["discovery_id"],
                digest=digest,
                entry=workflow(),
            )
        )
        conn.execute(update(groups).where(groups.c.name == GROUP).values(release_id=made_id))


@on_both
def test_each_workflow_comes_with_its_newest_runs_in_order(
    server: Server, client: TestClient
) -> None:
    ids = made(server, *({"state": ("succeeded", "failed")[n % 2]} for n in range(25)))
    made(server, {"state": "failed", "trial": {"discovery_id": "x"}})
    (one,) = listed(client)
    assert [each["run_id"] for each in one["outcomes"]] == ids[-20:]
    assert [each["state"] for each in one["outcomes"][-2:]] == ["failed", "succeeded"]
    assert one["outcomes"][0]["seconds"] == 1.0
    assert (one["group"], one["workflow"], one["operations"]) == (GROUP, WORKFLOW, 3)


@on_both
def test_a_failed_run_that_a_later_one_has_mended_is_told_from_one_that_was_not(
    server: Server, client: TestClient
) -> None:
    made(server, {"state": "failed", "superseded_by": new_id()}, {"state": "running"})
    (one,) = listed(client)
    assert [each["state"] for each in one["outcomes"]] == ["superseded", "running"]


@on_both
def test_the_next_due_instant_is_of_a_schedule_that_is_not_paused(
    server: Server, client: TestClient
) -> None:
    first, second = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)
    plan(server, "one", due=first, paused=True)
    (found,) = listed(client)
    assert (found["schedules"], found["paused"], found["next_due"]) == (1, True, None)
    plan(server, "two", due=second, paused=False)
    (found,) = listed(client)
    assert (found["schedules"], found["paused"]) == (2, False)
    assert datetime.fromisoformat(found["next_due"]) == second


@on_both
def test_a_version_is_a_release_that_brought_another_image(
    server: Server, client: TestClient
) -> None:
    following(server, 2, "sha256:0")
    following(server, 3, "sha256:1", reason="faster")
    following(server, 4, "sha256:1")
    found = client.get(f"workflows/{GROUP}/{WORKFLOW}").json()
    assert [one["release"] for one in found["versions"]] == [3, 1]
    assert found["versions"][0]["reason"] == "faster"
    assert (found["release"], found["since"]) == (4, 3)
    assert found["entry"]["operations"][0]["name"] == "fetch"


@on_both
def test_it_is_searched_by_group_name_and_description(server: Server, client: TestClient) -> None:
    release(server, workflow(description="Counts 100 % of the stock"), group="shop")
    assert [one["group"] for one in listed(client)] == ["shop", GROUP]
    assert [one["group"] for one in listed(client, text="STOCK")] == ["shop"]
    assert [one["group"] for one in listed(client, text=GROUP.upper())] == [GROUP]
    assert [one["group"] for one in listed(client, text="100 %")] == ["shop"]
    assert listed(client, text="_") == []
    assert [one["group"] for one in listed(client, group=GROUP)] == [GROUP]


@on_both
def test_it_is_searched_by_what_else_its_row_shows(server: Server, client: TestClient) -> None:
    about = {"owner": "Ada Lovelace", "tags": ["nightly-batch", "billing"]}
    release(server, workflow(**about), group="shop", digest="sha256:beef01")
    for text in ("lovelace", "billing", "y-batch", "BEEF01"):
        assert [one["group"] for one in listed(client, text=text)] == ["shop"], text
    for text in ('h", "b', "owner", "["):  # what JSON puts between them is no word of anybody
        assert listed(client, text=text) == [], text


@on_both
def test_what_is_not_in_force_is_not_found(server: Server, client: TestClient) -> None:
    answer = client.get(f"workflows/{GROUP}/other")
    assert (answer.status_code, answer.json()["code"]) == (404, "workflow-not-released")


@on_both
def test_it_is_read_in_pages(server: Server, client: TestClient) -> None:
    for name in ("a", "b", "c"):
        release(server, workflow(), group=name)
    first = client.get("workflows", params={"limit": 3}).json()
    rest = client.get("workflows", params={"limit": 3, "cursor": first["next"]}).json()
    assert [one["group"] for one in first["items"] + rest["items"]] == ["a", "b", "c", GROUP]
    assert rest["next"] is None
