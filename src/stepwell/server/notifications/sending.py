"""Sending one message to one target, once.

Where a webhook may lead: targets are an admin's to add, since the server sends to
them from inside its network. Even so no redirect is followed, this machine and
link-local addresses (where clouds keep credentials) are refused unless a setting
names the host, and of the answer only the status is kept. The connection goes to the very
address that was looked at: a name that leads elsewhere when it is asked again gains nothing.
"""

from __future__ import annotations

import ipaddress
import os
import smtplib
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

from stepwell import clock
from stepwell.errors import Unavailable
from stepwell.lean import httpx
from stepwell.server.notifications import messages, signing
from stepwell.server.notifications.records import Message, TargetKind
from stepwell.server.settings import Settings

TIMEOUT: Final = 10.0
"""Seconds that a target may take to answer."""


_MOST_ADDRESSES: Final = 3
"""Of a host with more, the first that many are tried."""


class Undelivered(Unavailable):
    """A target did not take a message; it is sent again later."""

    code = "notification-undelivered"


def send(settings: Settings, target: Mapping[str, Any], message_id: UUID, message: Message) -> str:
    """Send; what the target said, in a few words.

    Raises
    ------
    Undelivered : with the reason.
    """
    if target["kind"] == TargetKind.EMAIL:
        return _mail(settings, target["address"]["to"], message)
    url = _url(target["address"])
    where = addresses(url, settings.webhook_hosts)
    if target["kind"] == TargetKind.SLACK:
        return _post(url, where, messages.as_slack(message), {})
    body = messages.as_json(message)
    secret = signing.secret_of(settings.signing_key, target["id"], target["secret_version"])
    return _post(url, where, body, signing.headers(secret, message_id, clock.now(), body))


def addresses(url: str, allowed: tuple[str, ...] = ()) -> list[str]:
    """Where the host is: not this machine, link-local, multicast or unspecified.

    Parameters
    ----------
    allowed : hosts that may be such nevertheless.

    Raises
    ------
    Undelivered : the host cannot be found, or is refused.
    """
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Undelivered(f"The host {host!r} cannot be found.", why=str(error)) from error
    known = list(dict.fromkeys(str(address[0]) for *_, address in found))
    for one in known if host not in allowed else ():
        if _is_inside(one):
            raise Undelivered(
                f"The host {host!r} is not sent to.",
                why=f"Its address {one} is this machine's own, or link-local.",
                fix="Name the host in STEPWELL_WEBHOOK_HOSTS if that is meant.",
            )
    return known[:_MOST_ADDRESSES]


def _is_inside(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    one = mapped or address
    return bool(
        one.is_loopback
        or one.is_link_local
        or one.is_multicast
        or one.is_unspecified
        or one.is_reserved
    )


def lacking(address: Mapping[str, Any]) -> str | None:
    """What keeps this server from sending there, though it may be there after a restart."""
    variable = _variable(address)
    if variable is None or variable in os.environ:
        return None
    return f"This server has no environment variable {variable}: nothing is sent until it has."


def _variable(address: Mapping[str, Any]) -> str | None:
    reference = address.get("url_ref")
    return str(reference).removeprefix("env:") if reference else None


def _url(address: Mapping[str, Any]) -> str:
    variable = _variable(address)
    if variable is None:
        return str(address["url"])
    if variable not in os.environ:
        raise Undelivered(
            "The target's URL is not known.",
            why=f"The server has no environment variable {variable}.",
            fix=f"Start the server with {variable}.",
        )
    return os.environ[variable]


def _post(url: str, where: list[str], body: str, headers: dict[str, str]) -> str:
    kind = {"content-type": "application/json", "user-agent": "stepwell", **headers}
    error: Exception | None = None
    for address in where:
        try:
            status = _status(httpx.URL(url), address, body.encode(), kind)
        except (httpx.ConnectError, httpx.ConnectTimeout) as failed:
            error = failed  # perhaps the next one answers
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as failed:
            error = failed
            break
        else:
            if not 200 <= status < 300:
                raise Undelivered(f"The target answered HTTP {status}.")
            return f"HTTP {status}"
    raise Undelivered("The target does not answer.", why=type(error).__name__) from error


def _status(url: httpx.URL, address: str, body: bytes, headers: dict[str, str]) -> int:
    """What the host of a URL answers at an address; its certificate is of its name."""
    named = {"host": url.netloc.decode("ascii"), **headers}
    told = {"sni_hostname": url.raw_host.decode("ascii")}
    with (
        httpx.Client(follow_redirects=False, trust_env=False, timeout=TIMEOUT) as client,
        client.stream(
            "POST", url.copy_with(host=address), content=body, headers=named, extensions=told
        ) as answer,
    ):
        return answer.status_code


def _mail(settings: Settings, to: list[str], message: Message) -> str:
    if not settings.smtp_url:
        raise Undelivered(
            "The server has no mail server.",
            fix="Set STEPWELL_SMTP_URL, for example smtp://user:password@mail.example.org:587.",
        )
    made = messages.as_email(message, settings.mail_from, to)
    try:
        with _connected(settings.smtp_url) as server:
            refused = server.send_message(made)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise Undelivered("The mail server did not take it.", why=type(error).__name__) from error
    return f"taken by the mail server, refused for {len(refused)}" if refused else "taken"


def _connected(url: str) -> smtplib.SMTP:
    """A session with the mail server of `smtp://`, `smtp+starttls://` or `smtps://`."""
    parts = urlsplit(url)
    host, safe = parts.hostname or "localhost", ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, parts.port or 465, timeout=TIMEOUT, context=safe
        )
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT)
    if parts.scheme == "smtp+starttls":
        server.starttls(context=safe)
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server
