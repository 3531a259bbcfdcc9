"""A small identity provider of our own: real HTTP, real redirects, really signed id tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "stepwell", "the client's secret"


@dataclass
class Idp:
    """What it says and has been asked; a test changes what it wants to see refused."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    shown: list[RSAKey] = field(default_factory=list)
    user: dict[str, Any] = field(default_factory=lambda: {"sub": "u-1"})
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    issuer: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    keys_read: int = 0

    def authorize(self, query: dict[str, str]) -> str:
        """Log the user in without asking, and send the browser back."""
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        back = {"code": code, "state": query["state"]}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Exchange a code, once, for who can prove to have asked."""
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".replace(" ", "+").encode()).decode()
        plain = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if authorization not in (f"Basic {basic}", f"Basic {plain}"):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or challenge != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return 200, {
            "access_token": "access",
            "token_type": "Bearer",
            "expires_in": 60,
            "id_token": self.id_token(asked["nonce"]),
        }

    def id_token(self, nonce: str) -> str:
        """Signed with the present key."""
        now = int(time.time())
        claims = {
            "iss": self.issuer or self.url,
            "aud": CLIENT,
            "nonce": nonce,
            "iat": now,
            "exp": now + 60,
            **self.user,
            **self.claims,
        }
        header = {"alg": self.algorithm, "kid": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])

    def metadata(self) -> dict[str, Any]:
        """What it says of itself."""
        more = {"userinfo_endpoint": f"{self.url}/userinfo"} if self.userinfo else {}
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            **more,
        }

    def keys(self) -> dict[str, Any]:
        """The public halves."""
        self.keys_read += 1
        return dict(KeySet([*(self.shown or [self.key])]).as_dict(private=False))


@contextmanager
def running() -> Iterator[Idp]:
    """One that listens on loopback."""
    idp = Idp()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: one[0] for key, one in parse_qs(parts.query).items()}
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", idp.authorize(query))
                self.end_headers()
                return
            known = {
                "/.well-known/openid-configuration": idp.metadata,
                "/keys": idp.keys,
                "/userinfo": lambda: idp.userinfo,
            }
            said: Any = known[parts.path]
            self._answer(200, said())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {key: one[0] for key, one in parse_qs(body).items()}
            self._answer(*idp.token(form, self.headers.get("Authorization", "")))

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    idp.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield idp
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
