"""What tests of reviews ask of the API."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient

DAILY = {"kind": "cron", "expression": "30 7 * * *", "timezone": "Europe/Oslo"}
ALL = {"rest": "accept", "reason": "looks good"}


def diff(client: TestClient, discovery: str) -> dict[str, Any]:
    answer = client.get(f"groups/weather/discoveries/{discovery}/diff")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def decide(client: TestClient, discovery: str, **body: Any) -> Any:
    return client.post(f"groups/weather/discoveries/{discovery}/decisions", json=body)


def choices(**by_name: str) -> list[dict[str, str]]:
    return [{"workflow": name, "decision": choice} for name, choice in by_name.items()]


def released(client: TestClient, number: int) -> dict[str, Any]:
    found = client.get(f"groups/weather/releases/{number}").json()
    return {one["workflow"]: one for one in found["workflows"]}


def effects(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Effects of a review by their code; of several with one code, the last."""
    return {one["code"]: one for one in found["effects"]}


def parameters(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}
