"""The manifest: published, versioned, refused where it is not understood."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from tests.workflows.support import described
from tests.workflows.test_binding import bound_well

from stepwell.workflows import WorkflowGroup, operation
from stepwell.workflows.describing import describe
from stepwell.workflows.errors import ManifestInvalid, ManifestTooNew
from stepwell.workflows.manifest import load_manifest, manifest_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "reference" / "manifest.schema.json"


def test_the_published_schema_is_current() -> None:
    """After a change: `make docs`."""
    assert json.loads(PUBLISHED.read_text()) == manifest_schema()


def test_a_manifest_fits_the_published_schema_and_is_read_again_unchanged() -> None:
    made = described(bound_well).manifest
    jsonschema.validate(made.as_json(), json.loads(PUBLISHED.read_text()))
    assert load_manifest(json.loads(json.dumps(made.as_json()))) == made


def test_a_manifest_of_a_newer_version_is_refused_with_the_remedy() -> None:
    data = {**described(bound_well).manifest.as_json(), "manifest_version": 2, "more": 1}
    with pytest.raises(ManifestTooNew) as caught:
        load_manifest(data)
    assert "version 2" in caught.value.what
    assert "Upgrade" in caught.value.fix


@pytest.mark.parametrize("data", [None, [], {}, {"manifest_version": 1}, {"manifest_version": "1"}])
def test_what_is_no_manifest_is_refused(data: object) -> None:
    with pytest.raises(ManifestInvalid):
        load_manifest(data)


def test_a_wrong_field_of_a_manifest_is_named() -> None:
    data = described(bound_well).manifest.as_json()
    data["workflows"][0]["operations"][0]["retries"] = -1
    with pytest.raises(ManifestInvalid) as caught:
        load_manifest(data)
    assert "workflows.0.operations.0.retries" in caught.value.why


def test_an_owner_is_in_the_manifest_and_none_is_left_out() -> None:
    """So a server of the version before the field reads a manifest without one."""
    group = WorkflowGroup("owned", owner="team-sales")

    @group.workflow(owner="anna@example.org")
    class Mine:
        @operation
        def go(self) -> int:
            return 1

    @group.workflow
    class Ours:
        @operation
        def go(self) -> int:
            return 1

    made = describe(group, "owned:group").manifest
    data = made.as_json()
    assert data["group"]["owner"] == "team-sales"
    assert [one.get("owner") for one in data["workflows"]] == ["anna@example.org", None]
    assert load_manifest(data) == made
    assert "owner" not in described(bound_well).manifest.as_json()["group"]
