"""What a group asks of its launcher, compared with what it asked for at the release in force."""

from __future__ import annotations

from typing import Any

import pytest
from tests.server.reviews.conftest import Discover
from tests.server.reviews.support import ALL, decide, diff
from tests.server.support import Api, workflow

from stepwell.server.app import Server
from stepwell.server.database.tables import groups
from stepwell.server.reviews import risks
from stepwell.server.reviews.changes import Category, Change, Impact
from stepwell.server.reviews.launching import option_changes

Options = dict[str, Any]


def only(before: Options | None, now: Options | None) -> Change:
    """The one change between two lists of options."""
    (found,) = option_changes(before, now)
    return found


def codes(before: Options, now: Options) -> list[str]:
    return [one.code for one in risks.of_group(list(option_changes(before, now)))]


def test_options_that_are_the_same_change_nothing() -> None:
    options = {"limits": {"cpu": "2"}, "env": {"A": {"secret": "s", "key": "k"}}, "patch": {"a": 1}}
    assert list(option_changes(options, dict(options))) == []
    assert list(option_changes({}, None)) == []
    assert list(option_changes({}, {"limits": {}, "node_selector": {}})) == []


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ({"cpu": "500m"}, {"cpu": "1"}, ["resources-doubled"]),
        ({"memory": "512Mi"}, {"memory": "1Gi"}, ["resources-doubled"]),
        ({"memory": "1G"}, {"memory": "1Gi"}, []),
        ({"cpu": "2"}, {"cpu": "500m"}, []),
        ({}, {"cpu": "64"}, []),
        ({"cpu": "2"}, {}, []),
        ({"cpu": "2"}, {"cpu": "3900m"}, []),
    ],
)
@pytest.mark.parametrize("option", ["requests", "limits"])
def test_twice_of_a_resource_is_a_risk(
    option: str, before: Options, now: Options, found: list[str]
) -> None:
    """Where both are given: what the server says beside them may differ between servers."""
    assert codes({option: before}, {option: now}) == found


def test_an_amount_is_told_in_words_people_use() -> None:
    change = only({"limits": {"memory": "512Mi"}}, {"limits": {"memory": "2Gi"}})
    assert change.sentence == "Its pods may have at most 2 GiB memory, before 512 MiB memory."
    assert (change.path, change.category) == (
        "/group/launch_options/limits/memory",
        Category.RESOURCES,
    )
    assert only({}, {"requests": {"cpu": "2"}}).sentence == (
        "Its pods ask for 2 CPU, before what the server says."
    )


def test_another_service_account_is_a_risk_and_none_any_more_is_not() -> None:
    change = only({"service_account": "plain"}, {"service_account": "admin"})
    assert change.sentence == "Its pods run as the service account admin, before as plain."
    assert change.impact is Impact.SECURITY
    assert codes({}, {"service_account": "admin"}) == ["other-service-account"]
    assert codes({"service_account": "admin"}, {}) == []


@pytest.mark.parametrize(
    ("now", "path"),
    [
        ({"env": {"PASS": {"secret": "db", "key": "p"}}}, "env/PASS"),
        ({"env_from": [{"secret": "db", "prefix": "DB_"}]}, "env_from/DB_secret db"),
    ],
)
def test_a_secret_of_the_cluster_is_a_new_secret(now: Options, path: str) -> None:
    change = only({}, now)
    assert change.path == f"/group/launch_options/{path}"
    assert (change.category, change.impact) == (Category.SECRETS, Impact.SECURITY)
    assert codes({}, now) == ["new-secret"]
    assert codes(now, {}) == []


def test_another_key_of_the_same_variable_says_both_sides() -> None:
    before, now = ({"env": {"PASS": {"secret": "db", "key": key}}} for key in ("old", "new"))
    assert only(before, now).sentence == (
        "The pods get the variable PASS from the secret db, key new now, "
        "before from the secret db, key old."
    )


def test_a_config_map_is_no_secret() -> None:
    now = {"env": {"MODE": {"config_map": "settings", "key": "mode"}}}
    assert only({}, now).category is Category.ENVIRONMENT
    assert codes({}, now) == []


def test_a_patch_is_told_as_changed_and_never_shown() -> None:
    change = only({}, {"patch": {"spec": {"containers": [{"env": [{"value": "hunter2"}]}]}}})
    assert change.impact is Impact.SECURITY
    assert "hunter2" not in change.model_dump_json()


def test_the_rest_is_told_by_its_name() -> None:
    change = only({"namespace": "jobs"}, {"namespace": "jobs", "node_selector": {"disk": "ssd"}})
    assert change.sentence == "Where or how its pods run changes: node selector."


def test_a_release_that_does_not_know_its_options_says_that_they_are_unavailable() -> None:
    """One that an older version made: null is not taken for none."""
    assert only(None, {"limits": {"cpu": "2"}}).unavailable == ("before",)
    assert list(option_changes(None, None)) == []


def ask_for(server: Server, options: Options | None) -> None:
    with server.db.write() as conn:
        conn.execute(groups.update().values(launch_options=options))


def test_a_review_compares_with_what_was_asked_for_at_the_release_in_force(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    first = discover(workflow("a"))
    ask_for(server, {"limits": {"memory": "1Gi"}})
    decide(client, first, **ALL)
    assert client.get("groups/weather/releases/1").json()["launch_options"] == {
        "limits": {"memory": "1Gi"}
    }
    ask_for(server, {"limits": {"memory": "4Gi"}, "service_account": "loader"})
    discovery = discover(workflow("a", tags=["x"]))
    found = diff(client, discovery)
    assert {one["code"] for one in found["risks"]} == {"resources-doubled", "other-service-account"}
    assert client.get("reviews").json()["items"][0]["risks"] == [
        "other-service-account",
        "resources-doubled",
    ]
    decide(client, discovery, **ALL)
    assert diff(client, discover(workflow("a")))["risks"] == []
