"""What the release in force says of a workflow."""

from __future__ import annotations

from typing import Any

from stepwell.cli.client import Client


def parameters_schema(api: Client, group: str, workflow: str) -> dict[str, Any]:
    """The JSON Schema of a workflow's parameters; empty where it is not known."""
    return {}
