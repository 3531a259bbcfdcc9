"""A login in the browser for the command line: it waits on loopback for a code (RFC 8252)."""

from __future__ import annotations

import base64
import hashlib
import secrets
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from stepwell.cli.session import Session
from stepwell.errors import Unavailable

SECONDS: Final = 300.0


class NobodyCameBack(Unavailable):
    """The browser has brought no code."""

    code = "nobody-came-back"


class _Waiting(HTTPServer):
    """Takes one code, from whoever comes; it is worth nothing without the verifier."""

    code: str | None = None
    timeout = SECONDS


class _Handler(BaseHTTPRequestHandler):
    server: _Waiting

    def do_GET(self) -> None:
        """The browser comes back."""
        found = parse_qs(urlsplit(self.path).query).get("code")
        self.server.code = found[0] if found else None
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"You are logged in. Close this page and go back to the terminal.\n")

    def log_message(self, *_: Any) -> None:
        """Nothing: the address holds the code."""


def by_browser(session: Session) -> dict[str, Any]:
    """A token for who logs in at the identity provider in this machine's browser.

    Raises
    ------
    NobodyCameBack : within five minutes.
    """
    verifier = secrets.token_urlsafe(64)
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    with _Waiting(("127.0.0.1", 0), _Handler) as waiting:
        query = urlencode({"port": waiting.server_address[1], "challenge": challenge})
        address = f"{session.profile.url}/api/v1/login/oidc?{query}"
        session.out.note(f"Log in with the browser: {address}")
        webbrowser.open(address)
        waiting.handle_request()
        code = waiting.code
    if code is None:
        raise NobodyCameBack("The browser has brought no login.", fix="Run the command again.")
    made: dict[str, Any] = session.api.post(
        "/login/exchanges", {"code": code, "verifier": verifier}
    )
    return made
