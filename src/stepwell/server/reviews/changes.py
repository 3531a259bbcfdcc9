"""What a difference is made of: changes with a path, a category, an impact and a sentence."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class Impact(StrEnum):
    """The most that a change can do."""

    NONE = "none"
    BEHAVIOUR = "behaviour"
    DATA = "data"
    SECURITY = "security"


class Category(StrEnum):
    """Which part of a manifest a change is in."""

    IDENTITY = "identity"
    DESCRIPTION = "description"
    TAGS = "tags"
    SCHEDULE = "schedule"
    DEADLINE = "deadline"
    PARAMETERS = "parameters"
    OPERATIONS = "operations"
    INPUTS = "inputs"
    OUTPUTS = "outputs"
    HALTING = "halting"
    RETRIES = "retries"
    TIMEOUT = "timeout"
    APPROVAL = "approval"
    LIMITS = "limits"
    CODE = "code"


class Kind(StrEnum):
    """What happened to the thing at the path."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    MOVED = "moved"
    CHANGED = "changed"


class Standing(StrEnum):
    """What became of a workflow. `code`: its declaration is the same, the image is not."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    CHANGED = "changed"
    CODE = "code"
    SAME = "same"


class Change(BaseModel):
    """One change. `path` is a JSON pointer, keyed by names; `breaking` is null where it
    is no question of compatibility."""

    model_config = ConfigDict(frozen=True)

    path: str
    kind: Kind
    category: Category
    impact: Impact
    sentence: str
    breaking: bool | None = None
    before: Any = None
    after: Any = None


class WorkflowChanges(BaseModel):
    """All that changed in one workflow, under its new name where it was renamed."""

    model_config = ConfigDict(frozen=True)

    workflow: str
    standing: Standing
    renamed_from: str | None = None
    changes: tuple[Change, ...] = ()

    @property
    def breaking(self) -> bool:
        """Whether something that worked before will not any more."""
        return any(change.breaking for change in self.changes)


class Difference(BaseModel):
    """What one manifest says and another does not. `notice` tells what was cut, if anything."""

    model_config = ConfigDict(frozen=True)

    workflows: tuple[WorkflowChanges, ...]
    counts: dict[Standing, int]
    notice: str | None = None


def pointer(*parts: object) -> str:
    """A JSON pointer (RFC 6901): `pointer("a", "b/c")` is `/a/b~1c`."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)
