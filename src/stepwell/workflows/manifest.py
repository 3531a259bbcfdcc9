"""The manifest: what a group declares, as JSON. Version 1; the server stores and compares it.

docs/reference/manifest.schema.json is made from these models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from stepwell.version import VERSION as SDK
from stepwell.workflows.errors import ManifestInvalid, ManifestTooNew
from stepwell.workflows.names import LONGEST, PATTERN
from stepwell.workflows.schema import Schema, reason

VERSION: Final = 1
NAME: Final = f"^{PATTERN}$"


LATER: Final = frozenset({"approval", "limit", "pool"})
"""Fields that the first servers do not know; left out where they say nothing."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_serializer(mode="wrap")
    def _without_later(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        made: dict[str, Any] = handler(self)
        return {key: one for key, one in made.items() if one is not None or key not in LATER}


class InputEntry(_Entry):
    """A parameter of an operation: `from` is "parameter" or the name of an earlier operation."""

    source: str = Field(validation_alias="from", serialization_alias="from")
    json_schema: Schema = Field(validation_alias="schema", serialization_alias="schema")
    required: bool


class ApprovalEntry(_Entry):
    """What an operation waits for before it begins. `within` is in seconds."""

    within: float = Field(gt=0)
    message: str = Field(default="", max_length=500)
    on_timeout: Literal["fail", "go on"] = "fail"


class OperationEntry(_Entry):
    """An operation. `timeout` is in seconds; `output` is the name that its value is bound to."""

    name: str = Field(pattern=NAME, max_length=LONGEST)
    order: int = Field(ge=1)
    description: str = ""
    tags: list[str] = []
    halt_on_error: bool = True
    retries: int = Field(default=0, ge=0)
    timeout: float | None = Field(default=None, gt=0)
    output: str
    inputs: dict[str, InputEntry] = {}
    returns: Schema | None = None
    approval: ApprovalEntry | None = None


class TargetsEntry(_Entry):
    """What a workflow is held to: `success` is a share, `p95` in seconds, `window` in days."""

    success: float | None = Field(default=None, gt=0, lt=1)
    p95: float | None = Field(default=None, gt=0)
    window: int = Field(default=30, ge=1, le=366)


class WorkflowEntry(_Entry):
    """A workflow. `deadline` is in seconds; `parameters` is the JSON Schema of an object.

    So many of its runs as `limit` says go on at once, and of all that share its `pool` as
    many as an operator allows. `owner` is whom to ask, where that is not the
    group's.
    """

    name: str = Field(pattern=NAME, max_length=LONGEST)
    python_class: str = Field(validation_alias="class", serialization_alias="class")
    description: str = ""
    tags: list[str] = []
    deadline: float = Field(gt=0)
    schedule: dict[str, Any] | None = None
    owner: str = Field(default="", max_length=200)
    targets: TargetsEntry | None = None
    parameters: Schema
    operations: list[OperationEntry] = Field(min_length=1)
    limit: int | None = Field(default=None, ge=1)
    pool: str | None = Field(default=None, pattern=NAME, max_length=LONGEST)

    def operation(self, name: str) -> OperationEntry:
        """The operation of that name; KeyError if there is none."""
        return {one.name: one for one in self.operations}[name]

    def after(self, name: str) -> OperationEntry | None:
        """The operation that runs after the one of that name; None after the last."""
        names = [one.name for one in self.operations]
        place = names.index(name) + 1
        return self.operations[place] if place < len(names) else None


class GroupEntry(_Entry):
    """The group. `entry_point` is module:attribute of its WorkflowGroup, or the program's name;
    `owner` is whom to ask: a team, a person, an address; so many runs of all its workflows as
    `limit` says go on at once."""

    name: str = Field(pattern=NAME, max_length=LONGEST)
    description: str = ""
    tags: list[str] = []
    entry_point: str
    limit: int | None = Field(default=None, ge=1)
    owner: str = Field(default="", max_length=200)


class Manifest(_Entry):
    """All that is known of a group without running it."""

    manifest_version: Literal[1]
    sdk_version: str
    group: GroupEntry
    workflows: list[WorkflowEntry]

    def workflow(self, name: str) -> WorkflowEntry:
        """The workflow of that name; KeyError if there is none."""
        return {one.name: one for one in self.workflows}[name]

    def as_json(self) -> dict[str, Any]:
        """The manifest as plain JSON data.

        An owner is left out where there is none, so that a server of the version before
        this field reads it too.
        """
        made = self.model_dump(mode="json", by_alias=True)
        for entry in (made["group"], *made["workflows"]):
            if not entry["owner"]:
                del entry["owner"]
        return made


def load_manifest(data: Any) -> Manifest:
    """A manifest from plain JSON data, as a server receives it.

    Raises
    ------
    ManifestTooNew : made by a newer Stepwell.
    ManifestInvalid : not a manifest; says which field is wrong.
    """
    found = data.get("manifest_version") if isinstance(data, Mapping) else None
    if isinstance(found, int) and found > VERSION:
        raise ManifestTooNew(
            f"The manifest has version {found}.",
            why=f"It was made by Stepwell {data.get('sdk_version', '?')}; "
            f"this one is {SDK} and reads version {VERSION}.",
            fix="Upgrade this server, or build the image with an older stepwell package.",
        )
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        raise ManifestInvalid(
            "This is not a manifest.",
            why=reason(error),
            fix="Post what `python -m stepwell.workflows` makes, unchanged.",
        ) from error


def manifest_schema() -> Schema:
    """The JSON Schema of the manifest, as published in the reference."""
    made = Manifest.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
