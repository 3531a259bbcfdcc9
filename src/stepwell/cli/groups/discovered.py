"""What a discovery has found, in a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepwell.cli.render import Output


def tell(out: Output, ended: Mapping[str, Any]) -> None:
    """The workflows with their operations and schedules."""
    name = ended["group_name"]
    out.line(f"discovered {name}: {counted(ended['manifest'])}")
    for workflow in ended["manifest"]["workflows"]:
        out.line(f"  {workflow['name']}: {operations(workflow)}; {scheduled(workflow)}")


def counted(manifest: Mapping[str, Any]) -> str:
    """`2 workflows, 1 of them scheduled`."""
    workflows = manifest["workflows"]
    timed = sum(one.get("schedule") is not None for one in workflows)
    noun = "workflow" if len(workflows) == 1 else "workflows"
    return f"{len(workflows)} {noun}, {timed} of them scheduled"


def operations(workflow: Mapping[str, Any]) -> str:
    """`load > check > report`."""
    return " > ".join(one["name"] for one in workflow["operations"])


def scheduled(workflow: Mapping[str, Any]) -> str:
    """The schedule in words."""
    schedule = workflow.get("schedule")
    if schedule is None:
        return "on request"
    match schedule["kind"]:
        case "cron":
            return f"cron {schedule['expression']} ({schedule.get('timezone', 'UTC')})"
        case "interval":
            return f"every {schedule['seconds']} s"
    return f"once at {schedule.get('at')}"
