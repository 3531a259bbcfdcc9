"""What an image, or who registers it, cannot reach by a name."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update
from tests.server.support import Api, manifest, problem, workflow

from stepwell.server.app import Server
from stepwell.server.database import tables
from stepwell.server.discoveries import service as discoveries
from stepwell.server.groups import service as groups
from stepwell.server.groups.guarding import SecretDenied


@pytest.mark.parametrize("name", ["server", "stepwell"])
def test_no_group_is_called_as_the_servers_own_steps(api: Api, name: str) -> None:
    body = {"name": name, "image": "jobs.py"}
    problem(api("admin").post("groups", json=body), 422, "group-name-reserved")
    told = api("admin").post("groups", json={"image": f"/srv/{name}.py"})
    problem(told, 422, "group-name-reserved")


def test_an_image_cannot_take_such_a_name_by_its_manifest(server: Server, api: Api) -> None:
    """Its container could add steps of the server's names."""
    api("admin").post("groups", json={"image": "jobs.py"})
    with server.db.write() as conn:
        made = discoveries.request(conn, server.db, "jobs", reason=None, trigger="request", by="x")
        fault = discoveries.accept(conn, made.id, manifest(workflow("load"), group="server"))
        assert fault is not None
        assert fault.code == "group-name-reserved"
        assert conn.execute(select(tables.groups.c.name)).scalars().all() == ["jobs"]


@pytest.mark.parametrize("variable", ["STEPWELL_SECRET_KEY", "STEPWELL_DATABASE_URL"])
def test_no_group_gets_a_secret_of_the_server(server: Server, api: Api, variable: str) -> None:
    """With the secret key an image could make the token of any run."""
    admin = api("admin")
    body = {"image": "jobs.py", "secrets": {"KEY": f"env:{variable}"}}
    problem(admin.post("groups", json=body), 403, "secret-denied")
    admin.post("groups", json={"image": "jobs.py"})
    change = {"secrets": body["secrets"]}
    problem(admin.patch("groups/jobs", json=change), 403, "secret-denied")
    with server.db.write() as conn:  # one that was registered before there was this rule
        conn.execute(update(tables.groups).values(secrets=body["secrets"]))
        group = groups.get(conn, "jobs")
    with pytest.raises(SecretDenied):
        groups.launch_environment(group, with_secrets=True)
