"""Where two reviewers are needed, what one accepts another confirms; and the talk about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient
from tests.server.access.support import account
from tests.server.reviews.conftest import Discover
from tests.server.reviews.support import ALL, choices, decide, diff, released
from tests.server.support import Api, on_both, problem, workflow

from stepwell import clock
from stepwell.server.access import service as access
from stepwell.server.access.records import NewToken, Role
from stepwell.server.app import Server
from stepwell.server.database.tables import proposals
from stepwell.server.settings import Settings

Person = Callable[[str], TestClient]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, two_person_review=True)


@pytest.fixture
def person(server: Server) -> Iterator[Person]:
    """`person("ann")` is a client of the reviewer of that name, who has an account."""
    with ExitStack() as held:

        def client(name: str) -> TestClient:
            user_id, life = UUID(account(server, name, "reviewer")), timedelta(days=1)
            with server.db.write() as conn:
                made = access.issue_at_login(conn, user_id, name, Role.REVIEWER, "cli", life)
            headers = {"Authorization": f"Bearer {made.secret}"}
            base = "http://testserver/api/v1/"
            return held.enter_context(TestClient(server.app, base_url=base, headers=headers))

        yield client


@on_both
def test_what_one_accepts_is_in_force_when_another_confirms_it(
    person: Person, discover: Discover
) -> None:
    ann, ben = person("ann"), person("ben")
    first = discover(workflow("a"))
    made = decide(ann, first, **ALL).json()
    assert (made["changed"], made["release"], made["proposal"]["state"]) == (False, None, "open")
    assert diff(ben, first)["proposal"]["requested_by"] == "ann"
    path = f"groups/weather/proposals/{made['proposal']['id']}"
    applied = ben.post(f"{path}/confirmations", json={"reason": "seen"}).json()
    assert applied["changed"] is True
    release = ben.get("groups/weather/releases/1").json()
    assert (release["created_by"], release["confirmed_by"]) == ("ann", "ben")
    ended = ben.get(path).json()
    assert (ended["state"], ended["ended_by"], ended["release"]) == ("confirmed", "ben", 1)
    assert diff(ben, first)["proposal"] is None


def test_who_proposed_cannot_confirm_but_can_take_it_back(
    person: Person, discover: Discover
) -> None:
    ann, first = person("ann"), discover(workflow("a"))
    made = decide(ann, first, **ALL).json()["proposal"]
    path = f"groups/weather/proposals/{made['id']}"
    problem(ann.post(f"{path}/confirmations", json={}), 403, "proposal-own")
    assert ann.post(f"{path}/refusals", json={"reason": "mine"}).json()["state"] == "refused"
    problem(person("ben").post(f"{path}/confirmations", json={}), 409, "proposal-ended")
    assert ann.get("groups/weather").json()["release"] is None


def token_of(server: Server, name: str, by: str, role: str = "reviewer") -> dict[str, str]:
    """The headers of a token of nobody in particular."""
    with server.db.write() as conn:
        made = access.issue(conn, NewToken(name=name, role=Role(role)), by=by)
    return {"Authorization": f"Bearer {made.secret}"}


@on_both
def test_one_person_with_two_tokens_is_one_person(
    server: Server, person: Person, discover: Discover
) -> None:
    """A token without an account counts as who has made it, through tokens that made tokens."""
    ann, ben = person("ann"), person("ben")
    first = discover(workflow("a"))
    made = decide(ann, first, **ALL).json()["proposal"]
    path = f"groups/weather/proposals/{made['id']}/confirmations"
    bot, its_own = token_of(server, "bot", by="ann"), token_of(server, "bots-bot", by="bot")
    for headers in (bot, its_own):
        problem(ann.post(path, json={}, headers=headers), 403, "proposal-own")
    assert ben.post(path, json={}).json()["release"]["number"] == 1


def test_a_tokens_maker_cannot_confirm_what_the_token_has_proposed(
    server: Server, person: Person, discover: Discover
) -> None:
    ann, first = person("ann"), discover(workflow("a"))
    bot = token_of(server, "bot", by="ann")
    offer = f"groups/weather/discoveries/{first}/decisions"
    made = ann.post(offer, json=ALL, headers=bot).json()["proposal"]
    assert made["requested_by"] == "bot"
    path = f"groups/weather/proposals/{made['id']}/confirmations"
    problem(ann.post(path, json={}), 403, "proposal-own")
    sibling = token_of(server, "ci", by="ann")
    problem(ann.post(path, json={}, headers=sibling), 403, "proposal-own")
    stranger = token_of(server, "robot", by="ben")
    assert ann.post(path, json={}, headers=stranger).status_code == 201


def test_rejecting_and_holding_need_nobody_else(person: Person, discover: Discover) -> None:
    ann, first = person("ann"), discover(workflow("a"), workflow("b", "x", "y"))
    made = decide(ann, first, decisions=choices(a="reject", b="hold")).json()
    assert made["proposal"] is None
    assert diff(ann, first)["pending"] == ["b"]


def test_a_second_proposal_waits_for_the_first(person: Person, discover: Discover) -> None:
    first = discover(workflow("a"))
    decide(person("ann"), first, **ALL)
    problem(decide(person("ben"), first, **ALL), 409, "proposal-open")


@on_both
def test_a_proposal_against_a_release_that_has_moved_is_not_confirmed(
    api: Api, person: Person, discover: Discover
) -> None:
    admin, ann = api("admin"), person("ann")
    first = discover(workflow("a"))
    made = decide(ann, first, **ALL).json()["proposal"]
    admin.patch("groups/weather", json={"two_person": False})
    decide(admin, first, **ALL)
    path = f"groups/weather/proposals/{made['id']}/confirmations"
    problem(person("ben").post(path, json={}), 409, "release-moved")


def test_a_group_may_have_its_own_rule(api: Api, person: Person, discover: Discover) -> None:
    ann, first = person("ann"), discover(workflow("a"))
    changed = api("admin").patch("groups/weather", json={"two_person": False})
    assert changed.json()["two_person"] is False
    assert decide(ann, first, **ALL).json()["changed"] is True


def test_only_an_admin_changes_the_rule(person: Person, discover: Discover) -> None:
    discover(workflow("a"))
    answer = person("ann").patch("groups/weather", json={"two_person": False})
    problem(answer, 403, "role-missing")


@on_both
def test_a_rollback_needs_another_reviewer_too(person: Person, discover: Discover) -> None:
    ann, ben = person("ann"), person("ben")
    for tag in ("one", "two"):
        made = decide(ann, discover(workflow("a", tags=[tag])), **ALL).json()["proposal"]
        ben.post(f"groups/weather/proposals/{made['id']}/confirmations", json={})
    asked = ben.post("groups/weather/rollbacks", json={"to_release": 1}).json()
    assert (asked["changed"], asked["proposal"]["to_release"]) == (False, 1)
    path = f"groups/weather/proposals/{asked['proposal']['id']}/confirmations"
    assert ann.post(path, json={}).json()["release"]["rollback_of"] == 1
    assert released(ann, 3)["a"]["entry"]["tags"] == ["one"]


def test_a_discovery_has_a_thread_of_comments(api: Api, person: Person, discover: Discover) -> None:
    ann, first = person("ann"), discover(workflow("a"))
    path = f"groups/weather/discoveries/{first}/comments"
    for client, text in ((ann, "why now?"), (person("ben"), "the month ends")):
        assert client.post(path, json={"text": text}).status_code == 201
    said = [(one["written_by"], one["text"]) for one in ann.get(path).json()["items"]]
    assert said == [("ann", "why now?"), ("ben", "the month ends")]
    assert diff(ann, first)["comments"] == 2
    problem(api("viewer").post(path, json={"text": "me too"}), 403, "role-missing")


def test_a_proposal_with_a_hold_that_has_ended_since_can_be_confirmed(
    person: Person, discover: Discover, server: Server
) -> None:
    ann, first = person("ann"), discover(workflow("a"), workflow("b", "x", "y"))
    soon = (clock.now() + timedelta(hours=1)).isoformat()
    body = [*choices(a="accept"), {"workflow": "b", "decision": "hold", "until": soon}]
    made = decide(ann, first, decisions=body).json()["proposal"]
    past = [{**one, "until": "2026-01-01T00:00:00Z"} for one in made["decisions"][1:]]
    with server.db.write() as conn:
        values = {"decisions": [made["decisions"][0], *past]}
        conn.execute(update(proposals).values(**values))
    path = f"groups/weather/proposals/{made['id']}/confirmations"
    applied = person("ben").post(path, json={}).json()
    assert (applied["accepted"], diff(ann, first)["pending"]) == (["a"], ["b"])
