"""The forms of a message: for a program, for e-mail, for Slack. Pure.

Sentences may hold what users wrote, or what their code raised: each form escapes it.
"""

from __future__ import annotations

import html
import json
from email.message import EmailMessage
from typing import Any, Final

from stepwell.server.notifications.records import Kind, Message

TITLES: Final = {
    Kind.FAILURE: "Failed",
    Kind.RECOVERY: "Recovered",
    Kind.LATE: "Late",
    Kind.TOO_LONG: "Takes too long",
    Kind.TARGET_MISSED: "Target missed",
    Kind.REVIEW_WAITING: "Waits for review",
    Kind.APPROVAL_WAITING: "Waits for approval",
}
LONGEST: Final = 3000
"""Characters of a sentence; what is longer is cut."""


def title(message: Message) -> str:
    """A few words in one line: what, and where."""
    known: dict[str, str] = {str(kind): text for kind, text in TITLES.items()}
    what = known.get(message.kind, "Test")
    where = "/".join(part for part in (message.group, message.workflow) if part)
    return " ".join(f"{what}: {where}".split()) if where else what


def as_json(message: Message) -> str:
    """The body of a webhook."""
    shown = {**message.model_dump(mode="json"), "title": title(message), "text": _text(message)}
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def as_slack(message: Message) -> str:
    """What Slack, and what is compatible with it, takes; its three special characters escaped."""
    link = f"\n<{_slack(message.link)}|Open>" if message.link else ""
    text = f"*{_slack(title(message))}*\n{_slack(_text(message))}{link}"
    return json.dumps({"text": text}, ensure_ascii=False)


def as_email(message: Message, sender: str, to: list[str]) -> EmailMessage:
    """A mail in plain text and in HTML."""
    made = EmailMessage()
    made["Subject"] = f"[stepwell] {title(message)}"[:200]
    made["From"], made["To"] = sender, ", ".join(to)
    made.set_content(f"{_text(message)}\n\n{message.link or ''}\n")
    made.add_alternative(_html(message), subtype="html")
    return made


def _text(message: Message) -> str:
    text = message.headline
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _html(message: Message) -> str:
    rows = {
        "Cause": message.cause,
        "At": f"{message.at:%Y-%m-%d %H:%M:%S} UTC",
        **{name.replace("_", " "): _plain(value) for name, value in message.details.items()},
    }
    table = "".join(
        f"<tr><td>{html.escape(str(name))}</td><td>{html.escape(str(value))}</td></tr>"
        for name, value in rows.items()
        if value is not None
    )
    link = f'<p><a href="{html.escape(message.link)}">Open</a></p>' if message.link else ""
    return (
        f"<h3>{html.escape(title(message))}</h3>"
        f"<p style='white-space:pre-wrap'>{html.escape(_text(message))}</p>"
        f"<table>{table}</table>{link}"
    )


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
