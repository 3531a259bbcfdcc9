"""The compose file says what the image and the settings know; it can be read by any engine."""

from __future__ import annotations

import re
from typing import Any

import yaml
from tests.deploy.helm import ROOT

from stepwell.server.settings import Settings
from stepwell.version import VERSION

TEXT = (ROOT / "deploy" / "compose.yaml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = FILE["services"]


def test_every_variable_of_the_server_is_a_setting() -> None:
    known = {f"STEPWELL_{name.upper()}" for name in Settings.__dataclass_fields__}
    assert set(SERVICES["server"]["environment"]) <= known


def test_the_server_starts_when_the_database_answers_and_migrates_first() -> None:
    """By what the database says of its health: by TCP, which it answers when it is set up."""
    assert SERVICES["server"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "--host" in SERVICES["database"]["healthcheck"]["test"]
    assert SERVICES["server"]["command"] == ["serve", "--migrate"]


def test_no_service_depends_on_one_that_ends() -> None:
    """podman-compose could not start it: decision 104."""
    for service in SERVICES.values():
        for need in service.get("depends_on", {}).values():
            assert need["condition"] != "service_completed_successfully"
        assert service["restart"] == "unless-stopped"


def test_no_secret_has_a_default() -> None:
    """Compose refuses to start without them, and says which."""
    for name in ("POSTGRES_PASSWORD", "STEPWELL_SECRET_KEY"):
        uses = re.findall(rf"\$\{{{name}([^}}]*)\}}", TEXT)
        assert uses
        assert all(use.startswith(":?") for use in uses)


def test_the_server_is_confined_and_listens_on_loopback() -> None:
    service = SERVICES["server"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    (port,) = SERVICES["server"]["ports"]
    assert "127.0.0.1:8420" in port


def test_containers_of_groups_reach_the_server_and_not_the_database() -> None:
    joined = SERVICES["server"]["environment"]["STEPWELL_CONTAINER_NETWORK"]
    theirs = joined.removeprefix(f"{FILE['name']}_")
    assert theirs in FILE["networks"]
    assert theirs in SERVICES["server"]["networks"]
    database = set(SERVICES["database"]["networks"])
    assert theirs not in database
    assert database & set(SERVICES["server"]["networks"])


def test_volumes_and_image_are_those_that_are_declared() -> None:
    named = {one.partition(":")[0] for s in SERVICES.values() for one in s.get("volumes", ())}
    assert {one for one in named if one.isidentifier()} == set(FILE["volumes"])
    assert f"stepwell:{VERSION}" in SERVICES["server"]["image"]
