"""The protocol between a server and the images that it starts, as one JSON document.

Made from the types that the routes themselves read and write; `make docs` publishes it as
docs/reference/protocol.schema.json, and docs/reference/protocol.md explains it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from stepwell.server.discoveries.records import Fault
from stepwell.server.runs.records import (
    Assignment,
    ProgressTold,
    Staged,
    Staging,
    StateKeys,
    StateValue,
)
from stepwell.server.runs.scoped import VERBS
from stepwell.server.runs.uploads_api import BYTES, Uploaded
from stepwell.server.state.records import Write
from stepwell.stores.wire import signature
from stepwell.workflows.manifest import Manifest

DISCOVERY: Final = "/api/v1/discoveries/{discovery_id}"
RUN: Final = "/api/v1/runs/{run_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request that an image may make: where, what it sends, what it gets (None: nothing).

    `sends` and `gets` are media types, of a body or an answer that is no JSON.
    """

    mode: str
    method: str
    path: str
    request: TypeAdapter[Any] | None = None
    answer: TypeAdapter[Any] | None = None
    sends: str | None = None
    gets: str | None = None


def messages() -> dict[str, Message]:
    """Every message but the store's verbs, by name."""
    return {
        "manifest": _posted("discover", f"{DISCOVERY}/manifest", Manifest),
        "error": _posted("discover", f"{DISCOVERY}/error", Fault),
        "assignment": _got(f"{RUN}/assignment", Assignment),
        "state": _got(f"{RUN}/state", StateValue),
        "state-keys": _got(f"{RUN}/state-keys", StateKeys),
        "staged": _posted("run", f"{RUN}/staged", Staging, Staged),
        "progress": _posted("run", f"{RUN}/progress", ProgressTold),
        "log-segment": _of_bytes("POST", f"{RUN}/logs/segments", sends=BYTES),
        "upload": _of_bytes("POST", f"{RUN}/blobs", Uploaded, sends=BYTES),
        "download": _of_bytes("GET", f"{RUN}/blobs/{{blob_id}}", gets=BYTES),
    }


def _of_bytes(
    method: str, path: str, answer: Any = None, *, sends: str | None = None, gets: str | None = None
) -> Message:
    told = None if answer is None else TypeAdapter(answer)
    return Message(mode="run", method=method, path=path, answer=told, sends=sends, gets=gets)


def _posted(mode: str, path: str, request: Any, answer: Any = None) -> Message:
    told = None if answer is None else TypeAdapter(answer)
    return Message(mode=mode, method="POST", path=path, request=TypeAdapter(request), answer=told)


def _got(path: str, answer: Any) -> Message:
    return Message(mode="run", method="GET", path=path, answer=TypeAdapter(answer))


def document() -> dict[str, Any]:
    """All messages with the JSON Schemas of what they send and get.

    The schemas refer to `$defs` of the document. `state-write` is what stands in the
    payload of a `staged` of that kind.
    """
    named = messages()
    inputs = [*_adapters(named), ("state-write", "validation", TypeAdapter(Write))]
    made, shared = TypeAdapter.json_schemas(inputs, by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The protocol of workflow groups",
        "protocol": 1,
        "messages": {
            **{name: _told(name, one, made) for name, one in named.items()},
            **{f"store/{verb}": _verb(verb, made) for verb in sorted(VERBS)},
        },
        "$defs": {**shared["$defs"], "state-write": made["state-write", "validation"]},
    }


def _adapters(
    named: dict[str, Message],
) -> Iterator[tuple[str, JsonSchemaMode, TypeAdapter[Any]]]:
    for name, one in named.items():
        if one.request is not None:
            yield name, "validation", one.request
        if one.answer is not None:
            yield name, "serialization", one.answer
    for verb in sorted(VERBS):
        wire = signature(verb)
        yield f"store/{verb}", "serialization", wire.result
        for argument, adapter in wire.arguments.items():
            yield f"store/{verb}/{argument}", "validation", adapter


def _told(name: str, one: Message, made: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"mode": one.mode, "method": one.method, "path": one.path}
    if one.request is not None:
        told["request"] = made[name, "validation"]
    if one.answer is not None:
        told["answer"] = made[name, "serialization"]
    types = {"request_type": one.sends, "answer_type": one.gets}
    return told | {key: one for key, one in types.items() if one is not None}


def _verb(verb: str, made: Any) -> dict[str, Any]:
    wire = signature(verb)
    arguments = {name: made[f"store/{verb}/{name}", "validation"] for name in wire.arguments}
    result = made[f"store/{verb}", "serialization"]
    return {
        "mode": "run",
        "method": "POST",
        "path": f"{RUN}/store/{verb}",
        "request": {
            "type": "object",
            "properties": arguments,
            "required": sorted(wire.required),
            "additionalProperties": False,
        },
        "answer": {"type": "object", "properties": {"result": result}, "required": ["result"]},
    }
