"""One e-mail through an SMTP server."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage


def letter(sender: str, to: str, subject: str, text: str, message_id: str) -> EmailMessage:
    """A plain-text message; the same `message_id` lets a reader drop a copy sent twice."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = message_id
    message.set_content(text)
    return message


def send(server: str, message: EmailMessage) -> None:
    """Hand the message to `server`, written host:port.

    Raises
    ------
    ConnectionError : nobody listens there; says how to start a server that prints.
    """
    host, _, port = server.rpartition(":")
    try:
        with smtplib.SMTP(host, int(port), timeout=25) as smtp:
            smtp.send_message(message)
    except ConnectionRefusedError as error:
        raise ConnectionError(
            f"no mail server at {server}; for one that prints what it gets: "
            f"python -m aiosmtpd --nosetuid --listen {server}"
        ) from error
