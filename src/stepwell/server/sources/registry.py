"""Groups in a registry of container images: the part of the OCI distribution API that reads.

Repositories are listed where the registry lets itself be listed (`_catalog`), tags by
`tags/list`, and the digest of a tag by a HEAD of its manifest. No layer is ever fetched.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers

from stepwell.errors import StepwellError
from stepwell.server.sources.seen import (
    Place,
    Seen,
    SourceInvalid,
    SourceRefused,
    SourceUnreachable,
    bounded,
)

MANIFESTS: Final = (
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
TIMEOUT: Final = urllib3.Timeout(connect=5.0, read=20.0)
PAGE: Final = 100
_MOST_BYTES: Final = 8 * 1024 * 1024
_WILD: Final = re.compile(r"[*?\[]")
_NEXT: Final = re.compile(r'<([^>]+)>;\s*rel="?next"?')
_CHALLENGE: Final = re.compile(r'(\w+)="([^"]*)"')


def check(location: str) -> str:
    """The address as it is kept: with a scheme, without a slash at the end.

    Raises
    ------
    SourceInvalid : no address of a registry, or one with a password in it.
    """
    text = location if "://" in location else f"https://{location}"
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment:
        raise SourceInvalid(
            f"{location!r} is no address of a registry.",
            fix="Write https://registry.example.org, with a path to narrow it: .../team",
        )
    if parts.username or parts.password:
        raise SourceInvalid(
            "The address of the registry has a user or password in it.",
            why="Secrets are kept by reference only.",
            fix='Give credentials: {"username": "env:NAME", "password": "env:NAME"}.',
        )
    return text.rstrip("/")


def look(place: Place) -> list[Seen]:
    """The tags in the registry that the source wants, with their digests.

    Raises
    ------
    SourceUnreachable, SourceRefused, SourceTooLarge
    """
    registry = Registry(place.location, place.login)
    wanted: list[tuple[str, str]] = []
    for repository in _repositories(registry, place):
        tags = registry.tags(repository)
        wanted += [
            (repository, tag) for tag in tags if place.wants(repository, f"{repository}:{tag}")
        ]
        bounded(len(wanted), place.location)
    return [_seen(registry, repository, tag) for repository, tag in wanted]


def _repositories(registry: Registry, place: Place) -> list[str]:
    """Those that are named whole; the registry is asked only where a pattern could be more."""
    repositories = [pattern.partition(":")[0] for pattern in place.include]
    if repositories and not any(_WILD.search(one) for one in repositories):
        return sorted(set(repositories))
    return [one for one in registry.repositories() if one.startswith(registry.prefix)]


def _seen(registry: Registry, repository: str, tag: str) -> Seen:
    image = f"{registry.host}/{repository}:{tag}"
    try:
        return Seen(image=image, digest=registry.digest(repository, tag))
    except SourceRefused as error:
        return Seen(image=image, error=error.as_dict())


class Registry:
    """One registry, asked with one login.

    Parameters
    ----------
    url : http(s)://host[:port][/path]; what is listed begins with the path.
    login : user and password, or None.
    """

    def __init__(self, url: str, login: tuple[str, str] | None) -> None:
        parts = urlsplit(url)
        self.host, self._base = parts.netloc, f"{parts.scheme}://{parts.netloc}"
        path = parts.path.strip("/")
        self.prefix = f"{path}/" if path else ""
        self._login, self._secure = login, parts.scheme == "https"
        self._granted: dict[str, str] = {}
        self._pool = urllib3.PoolManager(num_pools=4, retries=False, timeout=TIMEOUT)

    def repositories(self) -> list[str]:
        """The names of all repositories, as far as the registry shows them."""
        return list(self._paged(f"/v2/_catalog?n={PAGE}", "repositories", "registry:catalog:*"))

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository; none where it does not exist."""
        path = f"/v2/{repository}/tags/list?n={PAGE}"
        return list(self._paged(path, "tags", _pull(repository)))

    def digest(self, repository: str, tag: str) -> str:
        """The digest that the tag points at now.

        Raises
        ------
        SourceUnreachable, SourceRefused
        """
        path, scope = f"/v2/{repository}/manifests/{tag}", _pull(repository)
        answer = self._ask("HEAD", path, scope, {"Accept": MANIFESTS})
        if found := answer.headers.get("Docker-Content-Digest"):
            return str(found)[:100]
        content = self._ask("GET", path, scope, {"Accept": MANIFESTS}).data
        return f"sha256:{hashlib.sha256(content).hexdigest()}"

    def _paged(self, path: str, key: str, scope: str) -> Iterator[str]:
        count = 0
        while path:
            answer = self._ask("GET", path, scope, {}, missing=b"{}")
            names = self._json(answer).get(key) or []
            count += len(names)
            bounded(count // 10, self._base)  # names are cheap, but not without end
            yield from (str(name) for name in names)
            path = self._next(answer.headers.get("Link", ""))

    def _next(self, link: str) -> str:
        found = _NEXT.search(link)
        if found is None:
            return ""
        parts = urlsplit(urljoin(self._base, found[1]))  # only ever a path of this registry
        return f"{parts.path}?{parts.query}"

    def _ask(
        self,
        method: str,
        path: str,
        scope: str,
        headers: Mapping[str, str],
        missing: bytes | None = None,
    ) -> urllib3.BaseHTTPResponse:
        answer = self._send(method, self._base + path, {**headers, **self._authorization(scope)})
        if answer.status == 401:
            self._granted[scope] = self._grant(answer.headers.get("WWW-Authenticate", ""), scope)
            answer = self._send(
                method, self._base + path, {**headers, **self._authorization(scope)}
            )
        if answer.status == 404 and missing is not None:
            return urllib3.HTTPResponse(body=missing, status=200)
        if answer.status >= 300:
            raise self._refused(answer.status, path)
        return answer

    def _authorization(self, scope: str) -> dict[str, str]:
        return {"Authorization": self._granted[scope]} if scope in self._granted else {}

    def _grant(self, challenge: str, scope: str) -> str:
        """What to send as Authorization, as the registry asks for it."""
        kind, _, rest = challenge.partition(" ")
        asked = dict(_CHALLENGE.findall(rest))
        if kind.lower() == "bearer" and "realm" in asked:
            return f"Bearer {self._token(asked, scope)}"
        if kind.lower() == "basic" and self._login is not None:
            return self._basic()["authorization"]
        raise self._refused(401, "/v2/")

    def _token(self, asked: Mapping[str, str], scope: str) -> str:
        realm = urljoin(self._base, asked["realm"])
        self._check_realm(realm)
        query = {"service": asked.get("service", ""), "scope": asked.get("scope", scope)}
        headers = self._basic() if self._login else {}
        answer = self._send("GET", f"{realm}?{urlencode(query)}", headers)
        if answer.status >= 300:
            raise self._refused(answer.status, urlsplit(realm).path)
        found = self._json(answer)
        return str(found.get("token") or found.get("access_token") or "")

    def _check_realm(self, realm: str) -> None:
        """A password does not leave an encrypted connection for one that is none."""
        parts = urlsplit(realm)
        if parts.scheme == "https" or (not self._secure and parts.scheme == "http"):
            return
        raise SourceRefused(
            f"The registry {self.host} asks to log in at {realm}.",
            why="That connection is not encrypted, and the registry's own is.",
            fix="Have the registry name an https realm.",
        )

    def _basic(self) -> dict[str, str]:
        assert self._login is not None
        return make_headers(basic_auth=":".join(self._login))

    def _send(self, method: str, url: str, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            answer = self._pool.request(
                method, url, headers=dict(headers), redirect=False, preload_content=False
            )
            with answer:
                content = answer.read(_MOST_BYTES + 1, decode_content=True)
        except (HTTPError, OSError, ValueError) as error:
            raise self._away(f"{type(error).__name__}: {error}.") from error
        if len(content) > _MOST_BYTES:
            raise self._away("Its answer is too large.")
        return urllib3.HTTPResponse(body=content, status=answer.status, headers=answer.headers)

    def _json(self, answer: urllib3.BaseHTTPResponse) -> dict[str, Any]:
        try:
            found = json.loads(answer.data)
        except ValueError as error:
            raise self._away("Its answer is no JSON.") from error
        return found if isinstance(found, dict) else {}

    def _away(self, why: str) -> SourceUnreachable:
        return SourceUnreachable(
            f"The registry {self._base} gave no answer that can be used.",
            why=why,
            fix="See that the address is right, and that the server's machine reaches it.",
        )

    def _refused(self, status: int, path: str) -> StepwellError:
        if status >= 500 or status == 429:
            return self._away(f"It answered with status {status}.")
        login = "without credentials" if self._login is None else "with these credentials"
        return SourceRefused(
            f"The registry {self.host} refuses {path} {login} (status {status}).",
            fix="Give it credentials that may pull, or name repositories whole in --include: "
            "not every registry lets itself be listed.",
        )


def _pull(repository: str) -> str:
    return f"repository:{repository}:pull"
