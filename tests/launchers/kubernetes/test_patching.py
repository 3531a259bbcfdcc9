"""Patches of a pod template, as Kubernetes itself merges them."""

from __future__ import annotations

from typing import Any

import pytest

from stepwell.launchers.kubernetes.patching import merged, strategic

TEMPLATE: dict[str, Any] = {
    "spec": {
        "containers": [{"name": "main", "image": "a", "env": [{"name": "A", "value": "1"}]}],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
        "tolerations": [{"key": "x"}],
        "securityContext": {"runAsUser": 1, "runAsGroup": 2},
    }
}


def spec(patch: Any) -> dict[str, Any]:
    found: dict[str, Any] = strategic(TEMPLATE, {"spec": patch})["spec"]
    return found


def test_a_container_of_the_same_name_is_merged_and_another_is_added() -> None:
    more = {"name": "main", "env": [{"name": "B", "value": "2"}]}
    made = spec({"containers": [more, {"name": "side", "image": "b"}]})["containers"]
    assert [one["name"] for one in made] == ["main", "side"]
    assert made[0]["image"] == "a"
    assert [one["name"] for one in made[0]["env"]] == ["A", "B"]


def test_lists_without_a_key_are_replaced() -> None:
    assert spec({"tolerations": [{"key": "y"}]})["tolerations"] == [{"key": "y"}]


def test_null_removes_and_the_template_stays_as_it_was() -> None:
    before = repr(TEMPLATE)
    assert spec({"securityContext": {"runAsUser": None}})["securityContext"] == {"runAsGroup": 2}
    assert repr(TEMPLATE) == before


@pytest.mark.parametrize(
    ("patch", "names"),
    [
        ([{"name": "tmp", "$patch": "delete"}], []),
        ([{"$patch": "replace"}, {"name": "new"}], ["new"]),
        ([{"name": "new"}], ["tmp", "new"]),
    ],
)
def test_directives_delete_and_replace(patch: list[dict[str, str]], names: list[str]) -> None:
    assert [one["name"] for one in spec({"volumes": patch})["volumes"]] == names


def test_an_object_can_be_replaced_whole() -> None:
    made = spec({"securityContext": {"$patch": "replace", "runAsUser": 7}})
    assert made["securityContext"] == {"runAsUser": 7}


def test_a_json_merge_replaces_every_list() -> None:
    """RFC 7386."""
    made = merged(TEMPLATE, {"spec": {"containers": [{"name": "other"}]}})
    assert made["spec"]["containers"] == [{"name": "other"}]
    assert made["spec"]["volumes"] == TEMPLATE["spec"]["volumes"]
