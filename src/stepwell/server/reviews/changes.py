"""What a difference is made of: changes with a path, a category, an impact and a sentence."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

Side: TypeAlias = Literal["before", "after"]


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
    IMAGE = "image"
    ENVIRONMENT = "environment"
    SECRETS = "secrets"
    RESOURCES = "resources"
    PERMISSIONS = "permissions"
    LAUNCHING = "launching"


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
    is no question of compatibility.

    `unavailable` names the sides that are not known: there `before` or `after` is null
    because nobody can tell, and not because there was nothing.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    kind: Kind
    category: Category
    impact: Impact
    sentence: str
    breaking: bool | None = None
    before: Any = None
    after: Any = None
    unavailable: tuple[Side, ...] = ()


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
    """What one manifest says and another does not. `notice` tells what was cut, if anything.

    `group` has what is no workflow's: what the group says about itself, its image, and the
    names of what the image is given.
    """

    model_config = ConfigDict(frozen=True)

    group: tuple[Change, ...] = ()
    workflows: tuple[WorkflowChanges, ...]
    counts: dict[Standing, int]
    notice: str | None = None


def pointer(*parts: object) -> str:
    """A JSON pointer (RFC 6901): `pointer("a", "b/c")` is `/a/b~1c`."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def unknown(
    path: tuple[object, ...], category: Category, what: str, side: Side, seen: Any
) -> Change:
    """A change that cannot be judged, for one side does not have what it is about."""
    lacks = "what is released" if side == "before" else "what was discovered"
    return Change(
        path=pointer(*path),
        kind=Kind.CHANGED,
        category=category,
        impact=Impact.BEHAVIOUR,
        sentence=f"{what} is unavailable in {lacks}, so it cannot be compared.",
        before=None if side == "before" else seen,
        after=None if side == "after" else seen,
        unavailable=(side,),
    )
