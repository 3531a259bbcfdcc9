"""Examples and the meaning of fields for the API's description.

Every word that the API uses has one meaning, which `glossary.json` says once, with an
example. `examples.json` has the bodies of requests, as somebody would send them. The
examples of answers are made from the glossary, so they cannot drift from the fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Final

Schema = dict[str, Any]

_HERE: Final = files("stepwell.server")
GLOSSARY: Final[dict[str, tuple[str, Any]]] = json.loads(
    _HERE.joinpath("glossary.json").read_text("utf-8")
)
"""Field -> what it means, and an example; null where that depends."""
BODIES: Final[dict[str, Any]] = json.loads(_HERE.joinpath("examples.json").read_text("utf-8"))
"""`METHOD path` below /api/v1 -> the body of a request."""
ANSWERS: Final = frozenset(
    {
        "Applied",
        "Bulk",
        "BulkPreview",
        "FoundRuns",
        "Group",
        "Health",
        "IssuedToken",
        "Me",
        "Preview",
        "Problem",
        "ReexecutionPlan",
        "ReleaseDetail",
        "Report",
        "Review",
        "Run",
        "RunDetail",
        "RunLimit",
        "ScheduledInFull",
        "StepDetail",
        "Summary",
        "Why",
    }
)
"""The answers that have an example, beside the pages that list one of these."""
_BY_FORMAT: Final = {
    "date-time": "2026-01-31T06:00:00Z",
    "date": "2026-01-31",
    "uuid": "01a21939-59eb-7753-a85d-5367ad802bd4",
}
_BY_TYPE: Final[dict[str, Any]] = {"string": "text", "integer": 1, "number": 1.0, "boolean": False}
_DEEPEST: Final = 6


def explain(document: Schema) -> None:
    """Put the examples, and the meaning of each known field, into an OpenAPI document."""
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            if name in GLOSSARY and "description" not in field and "$ref" not in field:
                field["description"] = GLOSSARY[name][0]
    for place, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        if place in BODIES and "application/json" in content:
            content["application/json"]["example"] = BODIES[place]
    for name, schema in schemas.items():
        if name in ANSWERS:
            schema["examples"] = [example({"$ref": f"#/components/schemas/{name}"}, schemas)]


def operations(document: Schema) -> Iterator[tuple[str, Schema]]:
    """`METHOD path` below /api/v1, and the operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path.removeprefix('/api/v1')}", operation


def example(schema: Schema, schemas: Schema, name: str = "", depth: int = 0) -> Any:
    """A value that fits, made of the examples of its fields.

    Parameters
    ----------
    schemas : what `$ref` refers to.
    name : the field that it is the value of.
    """
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas, name, depth + 1)
    known = GLOSSARY.get(name, ("", None))[1]
    if known is not None and _fits(known, schema):
        return known
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        made = example(choice, schemas, name, depth + 1)
        return None if depth > _DEEPEST else made
    return _made(schema, schemas, depth)


def _made(schema: Schema, schemas: Schema, depth: int) -> Any:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {}).items()
            return {key: example(field, schemas, key, depth + 1) for key, field in fields}
        case "array":
            few = depth > _DEEPEST or "items" not in schema
            return [] if few else [example(schema["items"], schemas, "", depth + 1)]
        case kind:
            return _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE.get(str(kind)))


def _fits(value: Any, schema: Schema) -> bool:
    """Whether the glossary's example is of the field's type; a first look, tests look closely."""
    if "enum" in schema:
        return value in schema["enum"]
    choices = schema.get("anyOf")
    if choices is not None:
        return any(_fits(value, one) for one in choices if one.get("type") != "null")
    types = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list}
    wanted: Any = {**types, "object": dict}.get(str(schema.get("type")))
    if wanted is None or isinstance(value, bool) != (wanted is bool):
        return False
    return isinstance(value, wanted) and not (wanted is list and value == [])
