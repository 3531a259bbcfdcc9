"""Names that are typed in two parts."""

from __future__ import annotations

from stepwell.errors import InvalidInput


def parts_of(workflow: str) -> tuple[str, str]:
    """Group and workflow of GROUP/WORKFLOW; raises `InvalidInput`."""
    group, slash, name = workflow.partition("/")
    if not (group and slash and name):
        raise InvalidInput(f"{workflow!r} is no workflow.", fix="Write GROUP/WORKFLOW.")
    return group, name
