"""Tokens that only read, and tokens that reach some groups only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import insert
from starlette.testclient import TestClient
from tests.server.access.support import browser
from tests.server.support import Api, on_both, problem

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.access import scopes
from stepwell.server.app import Server
from stepwell.server.database import tables
from stepwell.server.described import PREFIX


def limited(server: Server, api: Api, **values: Any) -> TestClient:
    """A client with a token of this scope."""
    body = {"name": f"t-{new_id().hex}", "role": "admin", **values}
    made = api("admin").post("tokens", json=body).json()
    return browser(server, headers={"Authorization": f"Bearer {made['secret']}"})


def group(server: Server, name: str) -> dict[str, str]:
    """A group with a schedule, a run, a report and a discovery; their ids."""
    now, ids = clock.now(), {one: new_id() for one in ("schedule", "run", "report", "discovery")}
    of = {"group_name": name, "workflow": "load"}
    release = new_id()
    with server.db.write() as conn:
        _group(conn, name)
        conn.execute(
            insert(tables.discoveries).values(
                id=ids["discovery"], group_name=name, state="succeeded", trigger="request",
                requested_by="x", created_at=now,
            )
        )  # fmt: skip
        conn.execute(
            insert(tables.releases).values(
                id=release, group_name=name, number=1, created_by="x", created_at=now
            )
        )
        conn.execute(
            insert(tables.schedules).values(
                id=ids["schedule"], **of, name="nightly", origin="source", changed_by="x",
                spec={"kind": "interval", "seconds": 3600, "anchor": "2026-01-01T00:00:00Z"},
                parameters={}, version=1, active=True,
                created_at=now,
            )
        )  # fmt: skip
        conn.execute(
            insert(tables.runs).values(
                id=ids["run"], **of, release_id=release, digest="sha256:0", state="succeeded",
                parameters={}, trigger="request", requested_by="x", due_at=now, created_at=now,
                deadline_at=now, attempt=1, warnings=0,
            )
        )  # fmt: skip
        conn.execute(
            insert(tables.reports).values(
                id=ids["report"], **of, operation="load", name="r", kind="json",
                media_type="application/json", size=2, content=b"{}", run_id=ids["run"],
                step_id=new_id(), created_at=now,
            )
        )  # fmt: skip
    return {one: str(found) for one, found in ids.items()}


def _group(conn: Any, name: str) -> None:
    conn.execute(
        insert(tables.groups).values(
            name=name, provisional=False, launcher="process", image="x", environment={},
            secrets={}, discover_with_secrets=False, created_at=clock.now(), created_by="x",
        )
    )  # fmt: skip


def test_a_token_that_only_reads_changes_nothing_whatever_its_role(
    server: Server, api: Api
) -> None:
    client = limited(server, api, read_only=True)
    assert client.get("me").json()["read_only"] is True
    assert client.get("tokens").status_code == 200
    problem(client.post("tokens", json={"name": "x", "role": "admin"}), 403, "read-only")


def test_no_change_of_the_api_is_open_to_a_token_that_only_reads(server: Server, api: Api) -> None:
    from tests.server.access.test_access import filled

    client = limited(server, api, read_only=True)
    for route in iter_route_contexts(server.app.routes):
        path = str(route.path).removeprefix("/api/v1/")
        for method in set(route.methods or ()) - {"GET", "HEAD"}:
            answer = client.request(method, filled(path), json={})
            assert answer.status_code >= 400 or path == "logout", (method, path)
            if answer.status_code == 422:  # it was asked about before: nothing was done
                asked = path.startswith(("login", "password")) or "preview" in path
                asked = asked or path == "source-tests"  # it looks, and keeps nothing
                assert asked, (method, path, answer.text)


READS = (
    "groups/{name}", "groups/{name}/discoveries", "groups/{name}/releases", "runs?group={name}",
    "schedules?group={name}", "reports?group={name}", "metrics?group={name}",
    "state?group={name}", "runs/{run}", "schedules/{schedule}", "reports/{report}",
    "discoveries/{discovery}", "runs/{run}/steps", "schedules/{schedule}/ledger",
)  # fmt: skip


@on_both
def test_a_token_of_a_group_reads_that_group_and_no_other(server: Server, api: Api) -> None:
    mine, others = group(server, "mine"), group(server, "others")
    client = limited(server, api, groups=["mine"])
    for path in READS:
        answer = client.get(path.format(name="mine", **mine))
        assert answer.status_code == 200, (path, answer.text)
        problem(client.get(path.format(name="others", **others)), 403, "out-of-groups")


@on_both
def test_a_token_of_a_group_that_is_not_registered_is_made_and_says_so(
    server: Server, api: Api
) -> None:
    """A slip of the pen was taken without a word, and the token reached nothing."""
    group(server, "weather")

    def warning(**limit: Any) -> str | None:
        asked = {"name": f"t{new_id().hex}", "role": "viewer", **limit}
        answer = api("admin").post("tokens", json=asked)
        assert answer.status_code == 201
        told: str | None = answer.json()["warning"]
        return told

    assert warning() is None
    assert warning(groups=["weather"]) is None
    assert warning(groups=["weather", "wether", "q"]) == (
        "Not registered, and nothing to reach until then: wether, q. Did you mean 'weather'?"
    )


def test_a_token_of_a_group_gives_it_no_secret_of_another(server: Server, api: Api) -> None:
    """References name variables of the server and Secrets of the cluster, which are everybody's."""
    group(server, "mine")
    client, own = limited(server, api, groups=["mine"]), {"A": "env:PASSWORD_OF_MINE"}
    assert api("admin").patch("groups/mine", json={"secrets": own}).status_code == 200
    for body in (
        {"secrets": {**own, "B": "env:PASSWORD_OF_OTHERS"}},
        {"secrets": {"A": "env:PASSWORD_OF_OTHERS"}},
        {"launch_options": {"env_from": [{"secret": "others"}]}},
    ):
        problem(client.patch("groups/mine", json=body), 403, "out-of-groups")
    same = client.patch("groups/mine", json={"secrets": own, "image": "y"})
    assert (same.status_code, same.json()["image"]) == (200, "y")
    assert client.patch("groups/mine", json={"secrets": {}}).status_code == 200


def test_a_token_of_a_group_runs_no_file_of_another(
    server: Server, api: Api, tmp_path: Path
) -> None:
    """An image of the launcher `process` is a path of the server's own machine."""
    for name in ("mine", "others"):
        (tmp_path / name).mkdir()
    group(server, "mine")
    image = {"image": str(tmp_path / "mine" / "one.py")}
    assert api("admin").patch("groups/mine", json=image).status_code == 200
    client, away = limited(server, api, groups=["mine"]), tmp_path / "mine" / "away"
    away.symlink_to(tmp_path / "others")
    for bad in (
        tmp_path / "others" / "two.py",
        tmp_path / "mine" / ".." / "others" / "two.py",
        away / "two.py",
        "/bin/sh",
    ):
        problem(client.patch("groups/mine", json={"image": str(bad)}), 403, "out-of-groups")
    for good in ("two.py", "later/one.py"):
        body = {"image": str(tmp_path / "mine" / good)}
        assert client.patch("groups/mine", json=body).status_code == 200
    assert api("admin").patch("groups/mine", json={"image": "/srv/x.py"}).status_code == 200


def test_a_report_is_compared_with_one_of_the_token_s_groups_only(server: Server, api: Api) -> None:
    """Whether the other one exists at all makes no difference."""
    mine, others = group(server, "mine"), group(server, "others")
    client = limited(server, api, groups=["mine"])
    path = f"reports/{mine['report']}/comparison"
    assert client.get(path).status_code == 200
    assert client.get(path, params={"other": mine["report"]}).status_code == 200
    for other in (others["report"], str(new_id()), "x"):
        problem(client.get(path, params={"other": other}), 403, "out-of-groups")


def test_every_id_that_a_query_names_beside_a_thing_is_asked_about(server: Server) -> None:
    for context in iter_route_contexts(server.app.routes):
        path = str(context.path).removeprefix(PREFIX)
        if any(f"{{{one}}}" in path for one in (*scopes.THINGS, "group")):
            route: Any = context.original_route
            fields = route.dependant.query_params
            ids = [one.alias for one in fields if "UUID" in str(one.field_info.annotation)]
            assert ids == [scopes.OTHERS[path][0]] if ids else path not in scopes.OTHERS, path


@pytest.mark.parametrize(
    "path",
    [
        "runs", "schedules", "groups", "audit", "audit?group=mine", "tokens", "users", "steps",
        "steps?group=mine", "discoveries?group=mine", "reviews?group=mine", "reports",
        "runs?group=mine&group=others", "runs/01a2020e-4d21-7083-abba-217f0bf09562", "runs/x",
    ],
)  # fmt: skip
def test_what_is_not_about_the_group_alone_is_closed(server: Server, api: Api, path: str) -> None:
    """Also where a filter is named that the route does not look at, and where nothing exists."""
    group(server, "mine")
    client = limited(server, api, groups=["mine"])
    answer = client.get(path)
    if path == "runs/x":
        assert answer.status_code in (403, 422)
    else:
        problem(answer, 403, "out-of-groups")


def test_a_filter_in_the_address_opens_no_change(server: Server, api: Api) -> None:
    """A change says in its body what it is about, so its address proves nothing."""
    group(server, "mine")
    client = limited(server, api, groups=["mine"])
    body = {"group": "others", "workflow": "load", "name": "x", "spec": {}}
    answer = client.post("schedules?group=mine", json=body)
    assert answer.status_code in (403, 422)
    told = client.post("tokens?group=mine", json={"name": "more", "role": "admin"})
    problem(told, 403, "out-of-groups")


@on_both
def test_a_token_of_a_group_changes_its_own_and_no_other(server: Server, api: Api) -> None:
    mine, others = group(server, "mine"), group(server, "others")
    client = limited(server, api, groups=["mine"])
    path = "schedules/{}/pauses"
    assert client.post(path.format(mine["schedule"]), json={"reason": "x"}).status_code == 201
    told = client.post(path.format(others["schedule"]), json={"reason": "x"})
    problem(told, 403, "out-of-groups")
    problem(client.post("groups/others/archivals", json={}), 403, "out-of-groups")
