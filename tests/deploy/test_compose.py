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
    for name in ("migrate", "server"):
        assert set(SERVICES[name]["environment"]) <= known


def test_the_server_starts_after_the_migration_and_that_when_the_database_answers() -> None:
    """By what each service says of its health, not by hope."""
    needs = SERVICES["server"]["depends_on"]
    assert needs == {"migrate": {"condition": "service_completed_successfully"}}
    assert SERVICES["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "healthcheck" in SERVICES["database"]


def test_no_secret_has_a_default() -> None:
    """Compose refuses to start without them, and says which."""
    for name in ("POSTGRES_PASSWORD", "STEPWELL_SECRET_KEY"):
        uses = re.findall(rf"\$\{{{name}([^}}]*)\}}", TEXT)
        assert uses
        assert all(use.startswith(":?") for use in uses)


def test_the_services_of_ours_are_confined_and_listen_on_loopback() -> None:
    for name in ("migrate", "server"):
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    (port,) = SERVICES["server"]["ports"]
    assert "127.0.0.1:8420" in port


def test_volumes_and_image_are_those_that_are_declared() -> None:
    named = {one.partition(":")[0] for s in SERVICES.values() for one in s.get("volumes", ())}
    assert {one for one in named if one.isidentifier()} == set(FILE["volumes"])
    assert f"stepwell:{VERSION}" in SERVICES["server"]["image"]
