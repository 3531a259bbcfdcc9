"""The identity provider: OpenID Connect, authorization code with PKCE, signed id tokens.

What the provider says of itself and its keys are read from it and kept for ten
minutes. An id token is believed if it is signed by one of these keys with an
asymmetric algorithm, comes from the issuer, is meant for this server, has not
expired, and carries the nonce of the login that asked for it.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.deprecate import AuthlibDeprecationWarning
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from stepwell.errors import SetupError, Unavailable
from stepwell.lean import httpx
from stepwell.server.access.states import Asked, refused
from stepwell.server.settings import Settings

with warnings.catch_warnings():
    # It would rather have the successor of httpx.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import OAuth2Client

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""Never one with a shared secret, and never none."""

_KEPT: Final = 600.0
_TIMEOUT: Final = 10.0
_LEEWAY: Final = 60
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class ProviderUnreachable(Unavailable):
    """The identity provider does not answer, or not as it should."""

    code = "provider-unreachable"


class ProviderUnusable(SetupError):
    """The settings of the identity provider cannot work."""

    code = "setup-provider"


@dataclass(slots=True)
class OpenIdProvider:
    """One provider, as the settings name it; one for each server process."""

    settings: Settings
    _kept: dict[str, tuple[float, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends users back to."""
        return f"{self.settings.url}/api/v1/login/oidc/callback"

    def address(self, asked: Asked) -> str:
        """Where the browser goes to log in."""
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._metadata("authorization_endpoint"),
                state=asked.state,
                code_verifier=asked.verifier,
                nonce=asked.nonce,
            )
        return str(url)

    def claims(self, code: str, asked: Asked) -> Mapping[str, Any]:
        """What the provider says of who has logged in, for the code that it gave.

        Raises
        ------
        ProviderUnreachable
        IdentityRefused : the code is not good, or the id token is not for this login.
        """
        with self._client() as client:
            token = _exchanged(client, self._metadata("token_endpoint"), code, asked.verifier)
        claims = self._verified(token.get("id_token"), asked.nonce)
        return {**self._more(token, claims), **claims}

    def _client(self) -> OAuth2Client:
        settings = self.settings
        return OAuth2Client(
            settings.oidc_client_id,
            settings.oidc_client_secret or None,
            token_endpoint_auth_method=self._method(),
            scope=" ".join(["openid", *settings.oidc_scopes]),
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            timeout=_TIMEOUT,
        )

    def _method(self) -> str:
        if not self.settings.oidc_client_secret:
            return "none"
        known = self._discovered().get("token_endpoint_auth_methods_supported")
        basic = known is None or "client_secret_basic" in known
        return "client_secret_basic" if basic else "client_secret_post"

    def _verified(self, id_token: Any, nonce: str) -> dict[str, Any]:
        required: dict[str, Any] = {
            "iss": {"essential": True, "value": self.settings.oidc_issuer},
            "aud": {"essential": True, "value": self.settings.oidc_client_id},
            "nonce": {"essential": True, "value": nonce},
            "sub": {"essential": True},
            "exp": {"essential": True},
        }
        try:
            claims = self._decoded(str(id_token)).claims
            jwt.JWTClaimsRegistry(leeway=_LEEWAY, **required).validate(claims)
        except (JoseError, ValueError) as error:
            raise refused(f"Its id token is not good: {type(error).__name__}.") from error
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else self._own) != self._own:
            raise refused("Its id token was made for somebody else.")
        return claims

    @property
    def _own(self) -> str:
        return self.settings.oidc_client_id

    def _decoded(self, id_token: str) -> jwt.Token:
        """With the keys that are known; with fresh ones if none of them has made it."""
        try:
            return jwt.decode(id_token, self._keys(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            self._kept.pop(self._metadata("jwks_uri"), None)
            return jwt.decode(id_token, self._keys(), algorithms=ALGORITHMS)

    def _keys(self) -> KeySet:
        return KeySet.import_key_set(self._fetched(self._metadata("jwks_uri")))

    def _more(self, token: Mapping[str, Any], claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the provider tells of a user elsewhere, where the id token lacks it."""
        settings, known = self.settings, self._discovered()
        wanted = {settings.oidc_name_claim, settings.oidc_role_claim}
        if wanted <= claims.keys() or "userinfo_endpoint" not in known:
            return {}
        bearer = {"Authorization": f"Bearer {token.get('access_token')}"}
        told = _get(_secure(known["userinfo_endpoint"]), bearer)
        return told if told.get("sub") == claims["sub"] else {}

    def _metadata(self, name: str) -> str:
        found = self._discovered().get(name)
        if not isinstance(found, str):
            raise ProviderUnusable(f"The identity provider names no {name}.")
        return _secure(found)

    @property
    def _discovery(self) -> str:
        issuer = self.settings.oidc_issuer
        return _secure(f"{issuer.rstrip('/')}/.well-known/openid-configuration")

    def _discovered(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._fetched(self._discovery)
        if found.get("issuer") != self.settings.oidc_issuer:
            raise ProviderUnusable(
                f"The provider calls itself {found.get('issuer')!r}.",
                why=f"The setting names {self.settings.oidc_issuer!r}.",
                fix="Set STEPWELL_OIDC_ISSUER to exactly what the provider calls itself.",
            )
        return found

    def _fetched(self, url: str) -> Any:
        with self._lock:
            at, found = self._kept.get(url, (0.0, None))
            if found is None or time.monotonic() - at > _KEPT:
                found = _get(url, {})
                self._kept[url] = (time.monotonic(), found)
        return found


def _exchanged(client: OAuth2Client, url: str, code: str, verifier: str) -> Mapping[str, Any]:
    try:
        token: Mapping[str, Any] = client.fetch_token(
            url, grant_type="authorization_code", code=code, code_verifier=verifier
        )
    except AuthlibBaseError as error:
        raise refused(f"The provider does not take the code: {error.error}.") from error
    except (httpx.HTTPError, ValueError) as error:
        raise _unreachable(url, error) from error
    return token


def _get(url: str, headers: Mapping[str, str]) -> Any:
    try:
        answer = httpx.get(url, headers=dict(headers), timeout=_TIMEOUT)
        found = answer.raise_for_status().json()
        if not isinstance(found, dict):
            raise ValueError("no JSON object")
    except (httpx.HTTPError, ValueError) as error:
        raise _unreachable(url, error) from error
    return found


def _secure(url: str) -> str:
    """The address, if nobody on the way can change what comes from it."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return url
    raise ProviderUnusable(
        f"{url!r} is no address of an identity provider.",
        why="It must begin with https://; http:// is for this machine only.",
        fix="Correct STEPWELL_OIDC_ISSUER.",
    )


def _unreachable(url: str, error: Exception) -> ProviderUnreachable:
    return ProviderUnreachable(
        f"The identity provider does not answer at {url}.",
        why=f"{type(error).__name__}: {error}"[:300],
        fix="Try again, or log in with a password.",
    )
