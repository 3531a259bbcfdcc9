"""A discovery is compared, decided about workflow by workflow, and rolled back."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.reviews.conftest import Discover
from tests.server.reviews.support import ALL, DAILY, choices, decide, diff, released
from tests.server.support import Api, on_both, problem, workflow

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.database.tables import runs, schedules


@on_both
def test_new_changed_and_removed_workflows_are_decided_one_by_one_in_one_act(
    api: Api, discover: Discover
) -> None:
    """The acceptance of the review screen: accept the new, reject the changed, hold the removed."""
    client = api("reviewer")
    first = discover(workflow("changed"), workflow("removed", "x", "y"))
    decide(client, first, **ALL)
    old = released(client, 1)
    second = discover(workflow("changed", tags=["slow"]), workflow("new", "p", "q", "r"))
    standings = {one["workflow"]: one["standing"] for one in diff(client, second)["workflows"]}
    assert standings == {"changed": "changed", "new": "added", "removed": "removed"}
    body = choices(new="accept", changed="reject", removed="hold")
    applied = decide(client, second, decisions=body, reason="as agreed").json()
    assert applied["release"]["number"] == 2
    now = released(client, 2)
    assert now["changed"] == old["changed"]
    assert now["removed"] == old["removed"]
    assert now["new"]["discovery_id"] == second
    assert client.get("groups/weather").json()["workflows"] == ["changed", "new", "removed"]
    entry = client.get("audit?action=review.decide").json()["items"][0]
    assert entry["reason"] == "as agreed"
    assert entry["details"]["decisions"] == {
        "new": "accept", "changed": "reject", "removed": "hold"
    }  # fmt: skip


def test_accepting_a_removed_workflow_takes_it_out_of_the_release(
    api: Api, discover: Discover
) -> None:
    client = api("reviewer")
    decide(client, discover(workflow("a"), workflow("b", "x", "y")), **ALL)
    second = discover(workflow("a"))
    decide(client, second, decisions=choices(b="accept"))
    assert set(released(client, 2)) == {"a"}


def test_one_wrong_decision_applies_none(api: Api, discover: Discover) -> None:
    client = api("reviewer")
    first = discover(workflow("a"))
    answer = decide(client, first, decisions=choices(a="accept", nowhere="accept"))
    told = problem(answer, 422, "decision-unknown")
    assert "'nowhere'" in told["what"]
    assert client.get("groups/weather").json()["release"] is None
    assert client.get("audit?action=review.decide").json()["items"] == []
    assert diff(client, first)["workflows"][0]["decided"] is None


def test_a_rejected_digest_is_not_offered_again_until_it_changes(
    api: Api, discover: Discover
) -> None:
    client = api("reviewer")
    first = discover(workflow("a"), digest="sha256:bad")
    assert client.get("reviews").json()["items"][0]["pending"] == ["a"]
    decide(client, first, decisions=choices(a="reject"), reason="no tests")
    assert client.get("reviews").json()["items"] == []
    again = discover(workflow("a"), digest="sha256:bad")
    assert client.get("reviews").json()["items"] == []
    decided = diff(client, again)["workflows"][0]["decided"]
    assert (decided["decision"], decided["reason"]) == ("reject", "no tests")
    discover(workflow("a"), digest="sha256:better")
    assert client.get("reviews").json()["items"][0]["pending"] == ["a"]


def test_what_is_held_stays_pending(api: Api, discover: Discover) -> None:
    client = api("reviewer")
    decide(client, discover(workflow("a")), decisions=choices(a="hold"))
    assert client.get("reviews").json()["items"][0]["pending"] == ["a"]


def test_accepting_what_is_released_already_makes_no_new_release(
    api: Api, discover: Discover
) -> None:
    client = api("reviewer")
    first = discover(workflow("a"))
    assert decide(client, first, **ALL).json()["changed"] is True
    again = decide(client, first, decisions=choices(a="accept")).json()
    assert (again["changed"], again["release"]["number"]) == (False, 1)


def test_a_release_that_moved_in_the_meantime_applies_nothing(api: Api, discover: Discover) -> None:
    client = api("reviewer")
    first = discover(workflow("a"))
    decide(client, first, against_release=0, **ALL)
    second = discover(workflow("a", tags=["x"]))
    problem(decide(client, second, against_release=0, **ALL), 409, "release-moved")
    assert decide(client, second, against_release=1, **ALL).json()["release"]["number"] == 2


@on_both
def test_of_two_reviewers_at_once_one_decides_and_the_other_is_told(
    api: Api, discover: Discover
) -> None:
    first = discover(workflow("a"))
    clients, answers = [api("reviewer"), api("reviewer")], []

    def act(client: TestClient) -> None:
        answers.append(decide(client, first, against_release=0, **ALL))

    threads = [threading.Thread(target=act, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert sorted(one.status_code for one in answers) == [201, 409]


def test_a_rename_that_was_found_is_taken_over_when_accepted(api: Api, discover: Discover) -> None:
    client = api("reviewer")
    decide(client, discover(workflow("nightly", "a", "b", "c")), **ALL)
    second = discover(workflow("daily", "a", "b", "c"))
    assert diff(client, second)["workflows"][0]["renamed_from"] == "nightly"
    decide(client, second, decisions=choices(daily="accept"))
    assert {name: one["renamed_from"] for name, one in released(client, 2).items()} == {
        "daily": "nightly"
    }


def test_a_rename_that_was_found_can_be_declined(api: Api, discover: Discover) -> None:
    client = api("reviewer")
    decide(client, discover(workflow("nightly", "a", "b", "c")), **ALL)
    second = discover(workflow("daily", "a", "b", "c"))
    body = [{"workflow": "daily", "decision": "accept", "renamed_from": None}]
    decide(client, second, decisions=body)
    assert set(released(client, 2)) == {"daily", "nightly"}


@pytest.mark.parametrize("old", ["still-there", "nowhere"])
def test_a_rename_from_what_is_still_there_or_never_was_is_refused(
    api: Api, discover: Discover, old: str
) -> None:
    client = api("reviewer")
    decide(client, discover(workflow("still-there", "x", "y")), **ALL)
    second = discover(workflow("still-there", "x", "y"), workflow("new"))
    body = [{"workflow": "new", "decision": "accept", "renamed_from": old}]
    problem(decide(client, second, decisions=body), 409, "rename-invalid")


def test_two_workflows_cannot_continue_one(api: Api, discover: Discover) -> None:
    client = api("reviewer")
    decide(client, discover(workflow("old", "x", "y")), **ALL)
    second = discover(workflow("one"), workflow("two"))
    body = [
        {"workflow": name, "decision": "accept", "renamed_from": "old"} for name in ("one", "two")
    ]
    problem(decide(client, second, decisions=body), 422, "decision-repeated")


@on_both
def test_a_rollback_is_a_new_release_with_the_old_contents_and_names(
    api: Api, discover: Discover
) -> None:
    client = api("reviewer")
    decide(client, discover(workflow("nightly", "a", "b", "c", schedule=DAILY)), **ALL)
    decide(client, discover(workflow("daily", "a", "b", "c", schedule=DAILY)), **ALL)
    made = client.post("groups/weather/rollbacks", json={"to_release": 1, "reason": "it broke"})
    assert made.status_code == 201, made.text
    release = made.json()["release"]
    assert (release["number"], release["rollback_of"]) == (3, 1)
    first, third = released(client, 1)["nightly"], released(client, 3)["nightly"]
    assert (third["digest"], third["entry"]) == (first["digest"], first["entry"])
    assert third["renamed_from"] == "daily"
    entry = client.get("audit?action=release.rollback").json()["items"][0]
    assert entry["reason"] == "it broke"


def test_a_rollback_to_no_release_is_refused(api: Api, discover: Discover) -> None:
    discover(workflow("a"))
    answer = api("reviewer").post("groups/weather/rollbacks", json={"to_release": 7})
    problem(answer, 404, "release-not-found")


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_only_a_reviewer_decides_and_rolls_back(api: Api, discover: Discover, role: str) -> None:
    first, client = discover(workflow("a")), api(role)
    problem(decide(client, first, **ALL), 403, "role-missing")
    answer = client.post("groups/weather/rollbacks", json={"to_release": 1})
    problem(answer, 403, "role-missing")


def test_a_discovery_without_a_manifest_cannot_be_decided_about(server: Server, api: Api) -> None:
    made = api("admin").post("groups", json={"image": "/srv/weather.py"}).json()
    answer = decide(api("reviewer"), made["discovery_id"], **ALL)
    problem(answer, 409, "discovery-not-usable")


def test_the_same_decisions_under_one_key_are_applied_once(api: Api, discover: Discover) -> None:
    client, first = api("reviewer"), discover(workflow("a"))
    path = f"groups/weather/discoveries/{first}/decisions"
    key = {"Idempotency-Key": "k1"}
    answers = [client.post(path, json=ALL, headers=key).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(client.get("audit?action=review.decide").json()["items"]) == 1


def test_schedules_follow_a_release_and_the_effect_was_told_before(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("reviewer")
    decide(client, discover(workflow("a", schedule=DAILY)), **ALL)
    with server.db.read() as conn:
        row = conn.execute(schedules.select()).mappings().one()
    assert (row["workflow"], row["active"], row["origin"]) == ("a", True, "source")
    second = discover(workflow("a", schedule={**DAILY, "expression": "*/5 * * * *"}))
    told = diff(client, second)
    assert [one["code"] for one in told["effects"]] == ["schedules-follow", "schedule-next"]
    assert [one["code"] for one in told["risks"]] == ["more-often"]
    decide(client, second, **ALL)
    with server.db.read() as conn:
        row = conn.execute(schedules.select()).mappings().one()
    assert row["spec"]["expression"] == "*/5 * * * *"


def test_a_schedule_whose_values_will_not_fit_is_told(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("reviewer")
    decide(client, discover(workflow("a", schedule=DAILY)), **ALL)
    needs = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}
    told = diff(client, discover(workflow("a", schedule=DAILY, parameters=needs)))
    codes = {one["code"] for one in told["effects"]}
    assert codes == {"schedules-follow", "schedule-next", "schedule-misfit"}
    assert [one["code"] for one in told["risks"]] == ["contract-broken"] * 2
    assert "Its schedule gives no value for day" in told["risks"][1]["sentence"]


def test_runs_in_flight_are_told_to_continue_on_their_release(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("reviewer")
    decide(client, discover(workflow("a")), **ALL)
    now = clock.now()
    with server.db.write() as conn:
        head = client.get("groups/weather").json()
        conn.execute(
            runs.insert().values(
                id=new_id(),
                group_name="weather",
                workflow="a",
                release_id=UUID(head["release_id"]),
                digest="sha256:x",
                state="running",
                parameters={},
                trigger="request",
                requested_by="me",
                due_at=now,
                created_at=now,
                deadline_at=now + timedelta(days=1),
                attempt=1,
                warnings=0,
            )
        )
    told = diff(client, discover(workflow("b", "x", "y")))
    by_code = {one["code"]: one["sentence"] for one in told["effects"]}
    assert by_code["runs-continue"] == "1 run continues on release 1, as started."
    assert [one["code"] for one in told["risks"]] == ["removed-while-running"]


def test_releases_are_listed_newest_first(api: Api, discover: Discover) -> None:
    client = api("reviewer")
    for tag in ("one", "two", "three"):
        decide(client, discover(workflow("a", tags=[tag])), **ALL)
    page = client.get("groups/weather/releases?limit=2").json()
    assert [one["number"] for one in page["items"]] == [3, 2]
    rest = client.get("groups/weather/releases", params={"cursor": page["next"]}).json()
    assert [one["number"] for one in rest["items"]] == [1]


def test_an_archived_group_has_no_schedule_in_force_and_gets_it_back_when_restored(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow("a", schedule=DAILY)), **ALL)
    client.post("groups/weather/archivals", json={"reason": "season is over"})
    with server.db.read() as conn:
        assert conn.execute(schedules.select()).mappings().one()["active"] is False
    assert client.get("reviews").json()["items"] == []
    back = client.post("groups/weather/restorations", json={}).json()
    assert (back["archived_at"], back["workflows"]) == (None, ["a"])
    with server.db.read() as conn:
        assert conn.execute(schedules.select()).mappings().one()["active"] is True


def test_any_two_releases_can_be_compared(api: Api, discover: Discover) -> None:
    client = api("reviewer")
    decide(client, discover(workflow("a")), **ALL)
    decide(client, discover(workflow("a", tags=["x"]), workflow("b")), **ALL)
    forward = client.get("groups/weather/releases/2/diff?against=1").json()
    back = client.get("groups/weather/releases/1/diff?against=2").json()
    assert forward["counts"] == {"changed": 1, "added": 1}
    assert back["counts"] == {"changed": 1, "removed": 1}
    answer = client.get("groups/weather/releases/2/diff?against=9")
    problem(answer, 404, "release-not-found")
