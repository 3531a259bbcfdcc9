"""A cursor is what an answer has given: whatever else comes is refused, and never a 500."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.server.support import Api, on_both, problem

from stepwell.ids import new_id

ID, AT = ["id", str(new_id())], ["at", "2026-05-01T12:00:00+00:00"]


def cursor(*key: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


CRAFTED = {
    "no base64": "\x7f",
    "no JSON": base64.urlsafe_b64encode(b"{").decode(),
    "too deep": base64.urlsafe_b64encode(b"[" * 20_000).decode(),
    "no key": cursor(),
    "no kind": cursor(["moon", 1]),
    "another kind": cursor(["no", 1]),
    "text for an id": cursor(["text", "x"]),
    "too many": cursor(ID, ID, ID, ID, ID),
    "endless": cursor(["no", float("inf")]),
    "too large": cursor(["no", 10**30]),
    "large": cursor(["no", 2**40]),
    "null character": cursor(["text", "a\0b"]),
    "half a character": cursor(["text", "\ud800"]),
    "three texts": cursor(*[["text", one] for one in ("a", "b\0", "c")]),
    "no instant": cursor(["at", "yesterday"], ID),
    "before all time": cursor(["at", "0001-01-01T00:00:00+14:00"], ID),
    "other order": cursor(ID, AT),
    "nothing": cursor(["text", None]),
    "a list as text": cursor(["text", ["a"]]),
}
LISTS = (
    "schedules",
    "calendars",
    "discoveries",
    "users",
    "tokens",
    "notifications/occasions",
    "notifications/targets",
    "groups",
    "state",
    "reports",
    "steps",
    "runs",
    "causes",
    "audit",
    "bulk",
    "sources",
    "backfills",
    "schedules/downtimes",
    "schedules/alerts",
)


@on_both
def test_a_crafted_cursor_is_refused_by_every_list(api: Api) -> None:
    admin, found = api("admin"), dict[str, Any]()
    for path in LISTS:
        assert admin.get(path).status_code == 200, path
        for what, crafted in CRAFTED.items():
            answer = admin.get(path, params={"cursor": crafted})
            if answer.status_code != 200:  # one kind of list may take what another does not
                problem(answer, 422, "cursor-invalid")
            found[f"{path}: {what}"] = answer.status_code
    assert set(found.values()) == {200, 422}
    assert sum(status == 422 for status in found.values()) > 0.9 * len(found)


@pytest.mark.parametrize("what", ["large", "too large"])
def test_so_is_one_of_a_log(api: Api, what: str) -> None:
    path = f"runs/{new_id()}/logs"
    crafted = base64.urlsafe_b64decode(CRAFTED[what] + "==")
    key = json.loads(crafted)
    answer = api("viewer").get(path, params={"cursor": cursor(key[0], key[0])})
    assert answer.status_code in (404, 422), answer.text
