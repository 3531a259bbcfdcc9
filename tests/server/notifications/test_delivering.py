"""Messages are signed, sent again when they are not taken, escaped, and kept from inside."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any, Final

import pytest
from aiosmtpd.controller import Controller
from tests.server.notifications.conftest import Receiver
from tests.server.support import Api, drain, free_port, on_both, problem

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.notifications import messages, sending, signing, steps
from stepwell.server.notifications.records import Message
from stepwell.server.settings import Settings
from stepwell.step import StepQuery, StepStatus

A_MESSAGE: Final = Message(kind="failure", sentence="It happened.", at=clock.now())


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first repetition is not due while the attempt before it is still looked at."""
    monkeypatch.setattr(steps, "DELAYS", (600.0, *steps.DELAYS[1:]))


def send_test(api: Api, server: Server, name: str = "ops") -> dict[str, Any]:
    answer = api("operator").post(f"/notifications/targets/{name}/tests", json={})
    assert answer.status_code == 201, answer.text
    drain(server, patience=0.2)
    found = api("viewer").get(f"/notifications/deliveries/{answer.json()['id']}")
    return dict(found.json())


@on_both
def test_a_webhook_is_signed_over_id_time_and_body(
    api: Api, server: Server, hook: dict[str, Any], receiver: Receiver
) -> None:
    """As standardwebhooks.com has it; computed here by hand."""
    delivery = send_test(api, server)
    assert (delivery["state"], delivery["answer"]) == ("sent", "HTTP 200")
    (got,) = receiver.received
    key = base64.b64decode(hook["secret"].removeprefix("whsec_"))
    stamp, sent_id = got.headers["webhook-timestamp"], got.headers["webhook-id"]
    signed = hmac.new(key, f"{sent_id}.{stamp}.{got.body}".encode(), hashlib.sha256).digest()
    assert got.headers["webhook-signature"] == f"v1,{base64.b64encode(signed).decode()}"
    assert abs(int(stamp) - clock.now().timestamp()) < 60
    assert sent_id == delivery["id"]


def test_the_secret_is_shown_once_and_kept_nowhere(
    api: Api, server: Server, hook: dict[str, Any], receiver: Receiver
) -> None:
    secret = hook["secret"]
    assert secret.startswith("whsec_")
    shown = api("admin").get("/notifications/targets").text + api("admin").get("/audit").text
    assert secret not in shown
    with server.db.read() as conn:
        for table in ("notification_targets", "audit", "answers"):
            rows = conn.exec_driver_sql(f"SELECT * FROM {table}").all()
            assert secret not in str(rows)
    renewed = api("admin").post("/notifications/targets/ops/secrets", json={}).json()["secret"]
    assert renewed != secret


@on_both
def test_what_is_not_taken_is_sent_again_later_and_given_up_in_the_end(
    api: Api, server: Server, hook: dict[str, Any], receiver: Receiver
) -> None:
    receiver.status = 503
    begun = clock.now()
    delivery = send_test(api, server)
    assert (delivery["state"], delivery["attempts"]) == ("waiting", 1)
    assert delivery["answer"].startswith("The target answered HTTP 503.")
    for delay in steps.DELAYS:
        with server.db.write() as conn:
            tx = server.db.steps(conn)
            (step,) = tx.search(StepQuery(name="v1/server/deliver", status=StepStatus.READY))
            assert step.schedule_time >= begun + timedelta(seconds=delay)
            begun = clock.now()
            tx.activate(step.id, None, None)
        drain(server, patience=0.0)
    found = api("viewer").get("/notifications/deliveries", params={"state": "failed"}).json()
    assert [one["attempts"] for one in found["items"]] == [1 + len(steps.DELAYS)]
    assert len(receiver.received) == 1 + len(steps.DELAYS)
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1


def test_no_redirect_is_followed(
    api: Api, server: Server, hook: dict[str, Any], receiver: Receiver
) -> None:
    """It could lead inside."""
    receiver.status, receiver.location = 302, receiver.url
    assert send_test(api, server)["state"] == "waiting"
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0.0.0.0", "[::ffff:127.0.0.1]"],
)
def test_this_machine_and_link_local_addresses_are_refused(host: str) -> None:
    with pytest.raises(sending.Undelivered, match="is not sent to"):
        sending.addresses(f"http://{host}/x")
    sending.addresses(f"http://{host}/x", allowed=(host.strip("[]"),))


def test_a_private_address_is_sent_to() -> None:
    """Most receivers of a platform are inside; the admin who adds a target means it."""
    sending.addresses("http://10.1.2.3/x")


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`named(first, then)`: the host hooks.test has the one address, and when it is asked for
    again the other. Only 127.0.0.1 counts as this machine's own."""
    real = socket.getaddrinfo

    def names(*known: str) -> None:
        left = list(known)

        def found(host: Any, port: Any, *more: Any, **given: Any) -> Any:
            if host != "hooks.test":
                return real(host, port, *more, **given)
            address = left.pop(0) if left[1:] else left[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0))]

        monkeypatch.setattr(socket, "getaddrinfo", found)

    monkeypatch.setattr(sending, "_is_inside", lambda one: one == "127.0.0.1")
    return names


def hook_at(receiver: Receiver) -> dict[str, Any]:
    url = f"http://hooks.test:{receiver.port}/hook"
    return {"kind": "webhook", "id": new_id(), "secret_version": 1, "address": {"url": url}}


def test_a_name_that_leads_to_this_machine_when_it_is_asked_again_gains_nothing(
    settings: Settings, receiver: Receiver, named: Callable[..., None]
) -> None:
    named("127.0.0.2", "127.0.0.1")
    with pytest.raises(sending.Undelivered):
        sending.send(settings, hook_at(receiver), new_id(), A_MESSAGE)
    assert receiver.received == []


def test_the_host_is_told_by_which_name_it_was_meant(
    settings: Settings, receiver: Receiver, named: Callable[..., None]
) -> None:
    allowed = replace(settings, webhook_hosts=("hooks.test",))
    named("127.0.0.1")
    assert sending.send(allowed, hook_at(receiver), new_id(), A_MESSAGE) == "HTTP 200"
    [got] = receiver.received
    assert got.headers["host"] == f"hooks.test:{receiver.port}"


def test_the_next_address_is_tried_where_nobody_answers(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def both(*_: Any, **__: Any) -> Any:
        return [(0, 0, 0, "", (one, 0)) for one in ("127.0.0.2", "127.0.0.1")]

    allowed = replace(settings, webhook_hosts=("hooks.test",))
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", both)
        where = sending.addresses(hook_at(receiver)["address"]["url"], allowed.webhook_hosts)
    assert sending._post(hook_at(receiver)["address"]["url"], where, "{}", {}) == "HTTP 200"


@pytest.mark.parametrize("role", ["viewer", "operator", "reviewer"])
def test_only_admins_add_targets(api: Api, role: str) -> None:
    body = {"name": "x", "kind": "webhook", "url": "https://example.org"}
    problem(api(role).post("/notifications/targets", json=body), 403, "role-missing")


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "webhook"},
        {"kind": "webhook", "url": "ftp://example.org"},
        {"kind": "webhook", "url": "http://me:secret@example.org"},
        {"kind": "webhook", "url": "http://"},
        {"kind": "slack", "url": "https://hooks.slack.com/services/T/B/secret"},
        {"kind": "email"},
        {"kind": "email", "to": ["nobody"]},
        {"kind": "email", "to": ["a@b.c\r\nBcc: x@y.z"]},
    ],
)
def test_an_address_that_cannot_be_used_is_refused(api: Api, body: dict[str, Any]) -> None:
    answer = api("admin").post("/notifications/targets", json={"name": "x", **body})
    problem(answer, 422, "notification-target-invalid")


def test_a_name_is_taken_until_its_target_is_removed(api: Api, hook: dict[str, Any]) -> None:
    body = {"name": "ops", "kind": "webhook", "url": "https://example.org"}
    problem(
        api("admin").post("/notifications/targets", json=body), 409, "notification-target-exists"
    )
    api("admin").delete("/notifications/targets/ops")
    assert api("admin").post("/notifications/targets", json=body).status_code == 201


def test_slack_gets_escaped_text_at_a_url_by_reference(
    api: Api, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_OPS", receiver.url)
    body = {"name": "chat", "kind": "slack", "url_ref": "env:SLACK_OPS"}
    shown = api("admin").post("/notifications/targets", json=body).json()
    assert (shown["secret"], shown["url"]) == (None, None)
    assert send_test(api, server, "chat")["state"] == "sent"
    assert "webhook-signature" not in receiver.received[0].headers
    said = Message(kind="failure", sentence="<!channel> & <b>", at=clock.now(), group="g")
    assert json.loads(messages.as_slack(said))["text"] == (
        "*Failed: g*\n&lt;!channel&gt; &amp; &lt;b&gt;"
    )


def test_a_missing_reference_is_said_and_tried_again(api: Api, server: Server) -> None:
    body = {"name": "chat", "kind": "slack", "url_ref": "env:NOT_THERE"}
    api("admin").post("/notifications/targets", json=body)
    delivery = send_test(api, server, "chat")
    assert delivery["state"] == "waiting"
    assert "NOT_THERE" in delivery["answer"]


def test_a_target_whose_reference_leads_nowhere_says_so_until_it_does(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be there after the next restart, so it is taken; but not without a word."""
    body = {"name": "chat", "kind": "slack", "url_ref": "env:NOT_THERE"}
    made = api("admin").post("/notifications/targets", json=body)
    assert made.status_code == 201
    assert "no environment variable NOT_THERE" in made.json()["warning"]

    def warning() -> Any:
        (shown,) = api("operator").get("/notifications/targets").json()["items"]
        return shown["warning"]

    assert warning() == made.json()["warning"]
    monkeypatch.setenv("NOT_THERE", "https://chat.example.org")
    assert warning() is None


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "webhook"},
        {"kind": "webhook", "url": "ftp://example.org"},
        {"kind": "slack", "url": "https://example.org"},
    ],
)
def test_what_is_to_be_mended_of_an_address_is_said_in_words_and_not_in_fields(
    api: Api, body: dict[str, str]
) -> None:
    """Whoever fills in the form knows no field of that name."""
    answer = api("admin").post("/notifications/targets", json={"name": "ops", **body})
    fix = problem(answer, 422, "notification-target-invalid")["fix"]
    assert "env:NAME" in fix
    assert "url_ref" not in fix


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(sending, "TIMEOUT", 90.0)

    class Keeper:
        def __init__(self) -> None:
            self.mails: list[Any] = []

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
            return "250 taken"

    keeper = Keeper()
    controller = Controller(keeper, hostname="127.0.0.1", port=free_port(), ready_timeout=90)
    controller.start()
    keeper.port = controller.port  # type: ignore[attr-defined]
    yield keeper
    controller.stop()


def test_a_mail_has_text_and_html_and_escapes_what_users_wrote(
    server: Server, mailbox: Any
) -> None:
    settings = replace(
        server.settings, smtp_url=f"smtp://127.0.0.1:{mailbox.port}", mail_from="s@example.org"
    )
    said = Message(
        kind="failure",
        sentence="<script>alert(1)</script> failed",
        group="weather",
        workflow="nightly\r\nBcc: evil@example.org",
        at=clock.now(),
        link='http://x/"><b>',
        details={"<i>": "<img src=x>"},
    )
    target = {"kind": "email", "address": {"to": ["ops@example.org"]}}
    assert sending.send(settings, target, new_id(), said) == "taken"
    (mail,) = mailbox.mails
    assert mail["to"] == "ops@example.org"
    assert "Bcc" not in mail
    assert mail["subject"] == "[stepwell] Failed: weather/nightly Bcc: evil@example.org"
    html = mail.get_body(("html",)).get_content()
    for raw in ("<script>", "<img", "<i>", '"><b>'):
        assert raw not in html
    assert "<script>" in mail.get_body(("plain",)).get_content()


def test_mail_without_a_mail_server_says_what_to_set(settings: Settings) -> None:
    target = {"kind": "email", "address": {"to": ["ops@example.org"]}}
    said = Message(kind="test", sentence="x", at=clock.now())
    with pytest.raises(sending.Undelivered, match="no mail server") as caught:
        sending.send(settings, target, new_id(), said)
    assert "STEPWELL_SMTP_URL" in caught.value.fix


def test_a_signature_is_another_for_another_time() -> None:
    secret = signing.secret_of(b"key", new_id(), 1)
    now, sent = clock.now(), new_id()
    one = signing.headers(secret, sent, now, "{}")
    other = signing.headers(secret, sent, now + timedelta(seconds=5), "{}")
    assert one["webhook-signature"] != other["webhook-signature"]
