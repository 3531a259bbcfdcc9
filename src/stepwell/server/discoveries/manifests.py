"""What a posted manifest must hold to: the published schema, and what the server relies on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stepwell import schedules
from stepwell.errors import InvalidInput
from stepwell.workflows.manifest import Manifest, load_manifest


class ManifestAmbiguous(InvalidInput):
    """Two things in a manifest have one name."""

    code = "manifest-ambiguous"


def checked(given: Mapping[str, Any]) -> Manifest:
    """The manifest, if the server can act on all of it.

    Raises
    ------
    ManifestTooNew, ManifestInvalid : it is no manifest that this version reads.
    ManifestAmbiguous : workflows of one name, or operations of one name.
    ScheduleInvalid : a schedule that cannot be computed.
    """
    manifest = load_manifest(given)
    _unique("workflow", (one.name for one in manifest.workflows))
    for workflow in manifest.workflows:
        _unique(f"operation of {workflow.name}", (one.name for one in workflow.operations))
        if workflow.schedule is not None:
            schedules.from_json(workflow.schedule)
    return manifest


def _unique(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ManifestAmbiguous(
                f"The manifest has two entries for the {what} {name!r}.",
                fix="Rename one of them in the source.",
            )
        seen.add(name)
