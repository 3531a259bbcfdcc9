"""Whatever happens, each way of telling tells it: what, where, and a link to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from typing import Any, Final
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from tests.server.notifications.conftest import Receiver
from tests.server.support import Api, drain, free_port

from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.notifications import messages, service
from stepwell.server.notifications.records import Kind, Occasion
from stepwell.server.settings import Settings

SOME: Final = new_id()
ABOUT: Final[dict[Kind, tuple[dict[str, UUID], str]]] = {
    Kind.FAILURE: ({"run_id": SOME}, f"runs/{SOME}"),
    Kind.RECOVERY: ({"run_id": SOME}, f"runs/{SOME}"),
    Kind.LATE: ({"schedule_id": SOME}, "schedules"),
    Kind.TOO_LONG: ({"run_id": SOME, "schedule_id": new_id()}, f"runs/{SOME}"),
    Kind.TARGET_MISSED: ({}, "workflows/weather/nightly"),
    Kind.REVIEW_WAITING: ({"discovery_id": SOME}, f"review/weather/{SOME}"),
    Kind.APPROVAL_WAITING: ({"run_id": SOME}, f"runs/{SOME}"),
}
"""What an occasion is about, and where its link leads."""


class Mailbox:
    """Takes every mail."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def mailbox(port: int) -> Iterator[Mailbox]:
    made = Mailbox()
    controller = Controller(made, hostname="127.0.0.1", port=port, ready_timeout=90)
    controller.start()
    yield made
    controller.stop()


@pytest.fixture
def settings(settings: Settings, port: int) -> Settings:
    url = f"smtp://127.0.0.1:{port}"
    return replace(settings, smtp_url=url, mail_from="stepwell@example.org")


@pytest.fixture
def three(api: Api, hook: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook, a chat and a mailbox."""
    monkeypatch.setenv("CHAT", receiver.url.replace("hook", "chat"))
    admin = api("admin")
    for body in (
        {"name": "chat", "kind": "slack", "url_ref": "env:CHAT"},
        {"name": "mail", "kind": "email", "to": ["ops@example.org"]},
    ):
        assert admin.post("notifications/targets", json=body).status_code == 201


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("kind", Kind)
def test_each_kind_is_told_by_webhook_chat_and_mail(
    api: Api, server: Server, receiver: Receiver, mailbox: Mailbox, kind: Kind
) -> None:
    for name in ("ops", "chat", "mail"):
        rule = {"target": name, "kinds": [kind]}
        assert api("admin").post("notifications/rules", json=rule).status_code == 201
    ids, path = ABOUT[kind]
    about: dict[str, Any] = {"group": "weather", "workflow": "nightly", **ids}
    with server.db.write() as conn:
        service.occur(conn, server.services, Occasion(kind=kind, sentence="It happened.", **about))
    drain(server, patience=0.2)
    title, link = f"{messages.TITLES[kind]}: weather/nightly", f"{server.settings.url}/{path}"
    got = {one.path: one.json for one in receiver.received}
    assert (got["/hook"]["kind"], got["/hook"]["title"]) == (kind, title)
    assert (got["/hook"]["text"], got["/hook"]["link"]) == ("It happened.", link)
    assert got["/chat"]["text"] == f"*{title}*\nIt happened.\n<{link}|Open>"
    (mail,) = mailbox.mails
    assert (mail["to"], mail["subject"]) == ("ops@example.org", f"[stepwell] {title}")
    assert mail.get_body(("plain",)).get_content().split() == ["It", "happened.", link]
