"""The published protocol is what the routes take and give."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.server.support import Api, manifest, workflow

from stepwell.server import protocol
from stepwell.server.app import Server
from stepwell.server.runs.scoped import VERBS

DOCS = Path(__file__).parents[2] / "docs" / "reference"
DOCUMENT = protocol.document()


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "$defs": DOCUMENT["$defs"]})


def test_each_message_is_a_route_of_the_server_with_that_method(server: Server) -> None:
    """And each route that takes the token of an image is a message."""
    paths: dict[str, Any] = server.app.openapi()["paths"]
    messages = DOCUMENT["messages"]
    for name, message in messages.items():
        path = re.sub(r"/store/.*", "/store/{verb}", message["path"])
        assert message["method"].lower() in paths[path], name
    routes = {p for p in paths if p.startswith((protocol.DISCOVERY + "/", protocol.RUN + "/"))}
    told = {re.sub(r"/store/.*", "/store/{verb}", one["path"]) for one in messages.values()}
    containers = {
        path
        for path in routes
        for operation in paths[path].values()
        if operation["tags"] == ["containers"] or path.startswith(protocol.DISCOVERY)
    }
    assert containers <= told


def test_what_is_no_json_says_so_and_is_named_on_the_page() -> None:
    """A body or an answer that has neither a schema nor a type would be nothing at all."""
    messages, page = DOCUMENT["messages"], (DOCS / "protocol.md").read_text()
    for name in ("log-segment", "upload"):
        assert messages[name]["request_type"] == "application/octet-stream"
    assert messages["download"]["answer_type"] == "application/octet-stream"
    for place in ("progress", "state-keys", "blobs", "logs/segments", "staged"):
        assert f".../{place}" in page


def test_every_verb_of_a_container_is_there() -> None:
    verbs = {name.removeprefix("store/") for name in DOCUMENT["messages"] if "/" in name}
    assert verbs == VERBS


@pytest.mark.parametrize("name", sorted(DOCUMENT["messages"]))
@pytest.mark.parametrize("side", ["request", "answer"])
def test_every_schema_is_one_and_its_references_lead_somewhere(name: str, side: str) -> None:
    schema = DOCUMENT["messages"][name].get(side)
    if schema is not None:
        Draft202012Validator.check_schema(schema)
        for reference in re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(schema)):
            assert reference in DOCUMENT["$defs"]


def test_the_settlement_on_the_page_is_one() -> None:
    page = (DOCS / "protocol.md").read_text()
    (block,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    validator(DOCUMENT["messages"]["store/settle"]["request"]).validate(json.loads(block))


def test_a_manifest_of_before_there_were_owners_is_one_still(api: Api) -> None:
    """Version 1 only grows: what was left out then may be left out now."""
    old = manifest(workflow("nightly"))
    assert "owner" not in old["group"]
    assert validator(DOCUMENT["messages"]["manifest"]["request"]).is_valid(old)


def test_what_is_missing_or_unknown_is_refused_by_the_schema() -> None:
    claim = validator(DOCUMENT["messages"]["store/claim"]["request"])
    assert not claim.is_valid({})
    assert not claim.is_valid({"request": {}, "more": 1})
