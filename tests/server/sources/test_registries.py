"""A registry as a source: a real docker-registry on loopback, with a hand-made image."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import urllib3
from starlette.testclient import TestClient
from tests.server.sources.conftest import Scan
from tests.server.support import drain, free_port, on_both

from stepwell.server.app import Server
from stepwell.server.sources import registry
from stepwell.server.sources.registry import Registry
from stepwell.server.sources.seen import Place, SourceRefused, SourceUnreachable
from stepwell.testing.launcher_contract import until

PROGRAM = shutil.which("docker-registry") or shutil.which("registry")
needs_registry = pytest.mark.skipif(PROGRAM is None, reason="there is no docker-registry here")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
HTPASSWD = "me:$2b$04$Agw7fhgb6kwJocPH4TX2ZOaaQfATFByVi9ADq9MIKI1/ESFp9b65W\n"  # hunter2
HTTP = urllib3.PoolManager(retries=False)
Headers: TypeAlias = dict[str, str]
LOGIN = urllib3.util.make_headers(basic_auth="me:hunter2")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry here may take its time to answer."""
    monkeypatch.setattr(registry, "TIMEOUT", urllib3.Timeout(90.0))


@contextmanager
def serving(folder: Path, *, secured: bool = False) -> Iterator[str]:
    """A registry with its files in `folder`; its address."""
    port = free_port()
    config: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": "for tests"},
    }
    if secured:
        (folder / "htpasswd").write_text(HTPASSWD)
        config["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}
    (folder / "config.yml").write_text(json.dumps(config))  # JSON is YAML
    environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
    command = [str(PROGRAM), "serve", str(folder / "config.yml")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        until(lambda: _answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(90)


def _answers(port: int) -> bool:
    try:
        return HTTP.request("GET", f"http://127.0.0.1:{port}/v2/").status in (200, 401)
    except urllib3.exceptions.HTTPError:
        return False


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path) as url:
        yield url


def push(
    url: str,
    repository: str,
    tag: str,
    content: bytes = b"one",
    login: Headers | None = None,
) -> str:
    """Put a tiny image there, as any tool does it; the digest of its manifest."""
    own = login or {}
    blobs = [_blob(url, repository, one, own) for one in (b"{}", content)]
    config, layer = (
        {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest, "size": size}
        for kind, (digest, size) in zip(("config.v1+json", "layer.v1.tar"), blobs, strict=True)
    )
    body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    headers = {**own, "Content-Type": MANIFEST}
    path = f"{url}/v2/{repository}/manifests/{tag}"
    made = HTTP.request("PUT", path, body=json.dumps(body), headers=headers)
    assert made.status == 201, made.data
    return str(made.headers["Docker-Content-Digest"])


def _blob(url: str, repository: str, content: bytes, login: dict[str, str]) -> tuple[str, int]:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    begun = HTTP.request("POST", f"{url}/v2/{repository}/blobs/uploads/", headers=login)
    assert begun.status == 202, begun.data
    place = f"{begun.headers['Location']}&digest={digest}"
    kept = HTTP.request("PUT", place, body=content, headers=login)
    assert kept.status == 201, kept.data
    return digest, len(content)


@needs_registry
def test_repositories_tags_and_digests_are_read_page_by_page(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small the registry's pages are."""
    monkeypatch.setattr(registry, "PAGE", 2)
    digests = {tag: push(address, "team/weather", tag, tag.encode()) for tag in "abcde"}
    for name in ("team/shop", "other", "more"):
        push(address, name, "latest")
    asked = Registry(address, None)
    assert asked.repositories() == ["more", "other", "team/shop", "team/weather"]
    assert {tag: asked.digest("team/weather", tag) for tag in asked.tags("team/weather")} == digests
    assert asked.tags("no/such") == []


@needs_registry
def test_a_path_and_patterns_say_which_images_are_wanted(address: str) -> None:
    for image in ("team/weather:v1", "team/weather:dev", "team/shop:v1", "x:v1"):
        repository, tag = image.split(":")
        push(address, repository, tag)

    def seen(path: str = "", **patterns: Any) -> set[str]:
        found = registry.look(Place(location=address + path, **patterns))
        return {one.image.partition("/")[2] for one in found}

    assert seen() == {"team/weather:v1", "team/weather:dev", "team/shop:v1", "x:v1"}
    assert seen("/team", exclude=["*:dev"]) == {"team/weather:v1", "team/shop:v1"}
    assert seen(include=["team/*:v1"]) == {"team/weather:v1", "team/shop:v1"}
    assert seen(include=["x"]) == {"x:v1"}


@needs_registry
@on_both
def test_a_moved_tag_is_discovered_by_the_next_scan(
    server: Server, client: TestClient, scan: Scan, address: str
) -> None:
    first = push(address, "team/weather", "v1", b"one")
    source = {"name": "hub", "kind": "registry", "location": address}
    assert client.post("sources", json=source).json()["launcher"] == "container"
    assert scan("hub")["waiting"] == 1
    (image,) = client.get("source-images").json()["items"]
    assert (image["image"], image["digest"]) == (f"{address[7:]}/team/weather:v1", first)
    client.post(f"source-images/{image['id']}/registrations", json={})
    drain(server, patience=1.0)
    scan("hub")
    second = push(address, "team/weather", "v1", b"two")
    scan("hub")
    (image,) = client.get("source-images").json()["items"]
    assert image["digest"] == second != first
    found = client.get("groups/weather/discoveries").json()["items"]
    assert [one["trigger"] for one in found] == ["scan", "registration"]


@needs_registry
def test_credentials_are_references_and_are_never_shown_or_kept(
    server: Server, client: TestClient, scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_USER", "me")
    with serving(tmp_path, secured=True) as url:
        push(url, "weather", "v1", login=LOGIN)
        login = {"username": "env:HUB_USER", "password": "env:HUB_PASSWORD"}
        source = {"name": "hub", "kind": "registry", "location": url, "credentials": login}
        client.post("sources", json=source)
        missing = scan("hub")["scan_error"]
        assert (missing["code"], "HUB_PASSWORD" in missing["why"]) == ("secret-missing", True)
        monkeypatch.setenv("HUB_PASSWORD", "wrong")
        assert client.post("sources/hub/tests").json()["error"]["code"] == "source-refused"
        monkeypatch.setenv("HUB_PASSWORD", "hunter2")
        assert client.post("sources/hub/tests").json()["images"] == [f"{url[7:]}/weather:v1"]
        assert scan("hub")["scan_error"] is None
    assert client.get("sources/hub").json()["credentials"] == login
    database = b"".join(path.read_bytes() for path in tmp_path.glob("server.db*"))
    assert b"hunter2" not in database
    assert "hunter2" not in client.get("audit").text


def test_a_registry_that_is_not_there_is_an_error_in_words() -> None:
    with pytest.raises(SourceUnreachable, match="gave no answer"):
        registry.look(Place(location=f"http://127.0.0.1:{free_port()}"))


class _Guarded(http.server.BaseHTTPRequestHandler):
    """A registry that wants a bearer token of its own realm, as the large ones do."""

    realm = "/token"
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        given = self.headers.get("Authorization")
        self.asked.append((self.path, given))
        if self.path.startswith("/token"):
            self._answer(200, {"token": "t0ken"})
        elif given == "Bearer t0ken":
            self._answer(200, {"tags": ["v1"]})
        else:
            scope = "repository:weather:pull"
            challenge = f'Bearer realm="{self.realm}",service="hub",scope="{scope}"'
            self._answer(401, {}, {"WWW-Authenticate": challenge})

    def do_HEAD(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        self._answer(200, {}, {"Docker-Content-Digest": "sha256:abc"})

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = b"" if self.command == "HEAD" else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def guarded() -> Iterator[tuple[str, type[_Guarded]]]:
    handler = type("Handler", (_Guarded,), {"asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}", handler
        made.shutdown()


def test_a_registry_that_asks_for_a_token_gets_the_one_of_its_realm(
    guarded: tuple[str, type[_Guarded]],
) -> None:
    """The password goes to the realm alone, and the token serves the requests that follow."""
    url, handler = guarded
    place = Place(location=url, include=["weather"], login=("me", "hunter2"))
    (seen,) = registry.look(place)
    assert seen.digest == "sha256:abc"
    basic = LOGIN["authorization"]
    scope = "scope=repository%3Aweather%3Apull"
    assert handler.asked == [
        ("/v2/weather/tags/list?n=100", None),
        (f"/token?service=hub&{scope}", basic),
        ("/v2/weather/tags/list?n=100", "Bearer t0ken"),
        ("/v2/weather/manifests/v1", "Bearer t0ken"),
    ]


def test_a_password_does_not_leave_an_encrypted_connection() -> None:
    asked = Registry("https://registry.example.org", ("me", "hunter2"))
    with pytest.raises(SourceRefused, match="not encrypted"):
        asked._grant('Bearer realm="http://elsewhere.example.org/token"', "x")
