"""The API's description: every body has an example that would be taken, every field a meaning."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter
from tests.server.support import Api

from stepwell.server import openapi
from stepwell.server.app import Server
from stepwell.server.described import SCHEMAS
from stepwell.server.examples import ANSWERS, BODIES, GLOSSARY, operations

NO_JSON = {"POST /runs/{run_id}/blobs", "POST /runs/{run_id}/logs/segments"}
"""Bodies that are bytes."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(openapi.document())
    return made


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, operation in operations(document):
        if "requestBody" in operation and place not in NO_JSON:
            yield place, operation["requestBody"]["content"]["application/json"]


def faults(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    found = Draft202012Validator({**schema, "components": document["components"]})
    return [f"{one.json_path}: {one.message}" for one in found.iter_errors(value)]


def test_schemas_have_the_names_that_a_client_wants(document: dict[str, Any]) -> None:
    """No module's path: models of one name are told apart in `described.SCHEMAS`, none is stale."""
    names = set(document["components"]["schemas"])
    assert {name for name in names if not re.fullmatch(r"[A-Z]\w+(-(In|Out)put)?", name)} == set()
    assert not any("_" in name for name in names)
    assert set(SCHEMAS.values()) <= names
    pages = {name for name in names if name.endswith("Page")}
    assert {"AuditEntryPage", "StateEntryPage", "StepBriefPage"} <= pages


def test_every_body_has_an_example_that_its_schema_takes(document: dict[str, Any]) -> None:
    known = dict(bodies(document))
    assert set(BODIES) == set(known)
    wrong = {
        place: found
        for place, body in known.items()
        if (found := faults(document, body["schema"], body["example"]))
    }
    assert wrong == {}


def test_every_example_of_a_body_is_one_that_the_server_takes(server: Server) -> None:
    """Also where a rule is no part of the schema, as that one of two fields is given."""
    taken = 0
    for route in iter_route_contexts(server.app.routes):
        for method in route.methods or ():
            place = f"{method} {str(route.path).removeprefix('/api/v1')}"
            if place in BODIES:
                body = TypeAdapter(route.body_field.field_info.annotation)
                body.validate_python(BODIES[place])
                taken += 1
    assert taken == len(BODIES)


def test_the_main_answers_have_examples_of_their_own_form(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert ANSWERS - schemas.keys() == set()
    for name in sorted(ANSWERS):
        (example,) = schemas[name]["examples"]
        assert faults(document, {"$ref": f"#/components/schemas/{name}"}, example) == [], name


def test_every_field_of_a_body_says_what_it_means(document: dict[str, Any]) -> None:
    schemas, seen = document["components"]["schemas"], set()
    silent = []

    def look(schema: dict[str, Any]) -> None:
        name = schema.get("$ref", "").rpartition("/")[2]
        if name in seen:
            return
        if name:
            seen.add(name)
            schema = schemas[name]
        for field, one in schema.get("properties", {}).items():
            if "description" not in one and "$ref" not in one:
                silent.append(f"{name}.{field}")
            look(one)
        for one in (*schema.get("anyOf", ()), schema.get("items", {})):
            look(one) if one else None

    for _, body in bodies(document):
        look(body["schema"])
    assert silent == []


def test_the_glossary_has_no_word_that_nobody_uses(document: dict[str, Any]) -> None:
    used = {
        field
        for schema in document["components"]["schemas"].values()
        for field in schema.get("properties", {})
    }
    assert GLOSSARY.keys() - used == set()


def test_the_description_that_is_served_has_the_examples(api: Api) -> None:
    served = api("viewer").get("openapi.json").json()
    body = served["paths"]["/api/v1/bulk"]["post"]["requestBody"]["content"]["application/json"]
    assert body["example"] == BODIES["POST /bulk"]
