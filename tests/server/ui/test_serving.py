"""The pages over HTTP: which address gives what, under which headers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from starlette.testclient import TestClient
from tests.server.ui.conftest import SCRIPT

from stepwell.server.app import Server
from stepwell.server.settings import Settings
from stepwell.server.ui.bundle import PACKAGED, folder_of

Browse: TypeAlias = Callable[..., TestClient]
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ASSET = "/assets/index-1a2b.js"


@pytest.fixture
def browse(settings: Settings, built: Path) -> Iterator[Browse]:
    """`browse(base_path="/x")` is a browser at a server with these settings."""
    open_: list[tuple[Server, TestClient]] = []

    def browser(**given: Any) -> TestClient:
        server = Server(replace(settings, **{"ui_folder": str(built), **given}))
        server.start()
        client = TestClient(server.app, headers=HTML, follow_redirects=False)
        open_.append((server, client))
        return client

    yield browser
    for server, client in open_:
        client.close()
        server.stop()


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/0199?step=2", "/metrics", "/a/b/c.d"])
def test_every_address_of_a_browser_is_the_one_page(browse: Browse, path: str) -> None:
    answer = browse().get(path)

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '<div id="root">' in answer.text


def test_style_and_script_are_our_own_and_the_nonce_is_new_each_time(browse: Browse) -> None:
    client = browse()
    first, second = (client.get("/") for _ in range(2))
    nonce = re.search(r'csp-nonce" content="([^"]{20,})"', first.text)
    assert nonce
    policy = first.headers["content-security-policy"]
    assert f"style-src 'self' 'nonce-{nonce[1]}'" in policy
    assert nonce[1] not in second.text
    assert {"default-src 'self'", "script-src 'self'", "frame-ancestors 'none'"} <= set(
        policy.split("; ")
    )
    assert "unsafe" not in policy
    assert "http" not in policy
    assert first.headers["x-frame-options"] == "DENY"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["referrer-policy"] == "no-referrer"


def test_a_file_with_its_hash_in_the_name_is_kept_for_a_year(browse: Browse) -> None:
    client = browse()
    hashed, named = client.get(ASSET), client.get("/icon.svg")

    assert hashed.text == SCRIPT
    assert hashed.headers["content-type"].startswith("text/javascript")
    assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (named.headers["content-type"], named.headers["cache-control"]) == (
        "image/svg+xml",
        "no-cache",
    )


def test_what_was_packed_at_the_build_is_sent_packed(browse: Browse) -> None:
    client = browse()
    packed = client.get(ASSET, headers={"Accept-Encoding": "deflate, gzip;q=0.9, br"})
    plain = client.get(ASSET, headers={"Accept-Encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(SCRIPT)
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text == SCRIPT
    assert packed.headers["vary"] == "Accept-Encoding"


def test_what_is_not_there_stays_a_problem(browse: Browse) -> None:
    client = browse()
    script = client.get("/assets/index-gone.js", headers={"Accept": "*/*"})
    route = client.get("/api/v1/nothing")
    sent = client.post("/runs", json={})
    for answer in (script, route, sent):
        assert answer.status_code in (404, 405)
        assert answer.headers["content-type"] == "application/problem+json"


def test_prometheus_gets_numbers_where_people_get_a_page(browse: Browse) -> None:
    answer = browse().get("/metrics", headers={"Accept": "application/openmetrics-text, */*;q=0.1"})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/assets/../../server.db", "/assets/%2e%2e/%2e%2e/server.db"])
def test_nothing_outside_of_the_bundle_is_handed_out(browse: Browse, path: str) -> None:
    answer = browse().get(path, headers={"Accept": "*/*"})
    assert answer.status_code == 404


@pytest.mark.parametrize("prefix", ["/stepwell", ""])
def test_below_a_path_all_is_found_whether_the_proxy_takes_it_off_or_not(
    browse: Browse, prefix: str
) -> None:
    client = browse(base_path="/stepwell/")

    assert '<base href="/stepwell/">' in client.get(f"{prefix}/runs").text
    assert client.get(f"{prefix}{ASSET}").text == SCRIPT
    assert client.get(f"{prefix}/api/v1/health").status_code == 200
    assert client.get("/stepwell").status_code == 200


def test_the_path_of_the_public_address_is_the_base_path() -> None:
    assert Settings(public_url="https://example.com/flows/").base == "/flows"
    assert Settings(public_url="https://example.com").base == ""
    assert Settings(public_url="http://inside:8420", base_path="flows").base == "/flows"


def test_without_a_build_a_plain_page_says_how_to_make_one(browse: Browse, tmp_path: Path) -> None:
    answer = browse(ui_folder=str(tmp_path / "nothing")).get("/runs")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "make web" in answer.text


def test_what_is_built_later_is_served_without_a_restart(browse: Browse, built: Path) -> None:
    client = browse()
    assert "second" not in client.get("/").text
    (built / "index.html").write_text("<p>second</p>")
    os.utime(built / "index.html", ns=(1, 1))
    assert "second" in client.get("/").text


def test_the_api_alone_has_no_pages(browse: Browse) -> None:
    answer = browse(run_ui=False).get("/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_another_sites_name_gets_no_page(browse: Browse) -> None:
    client = browse(allowed_hosts=("localhost",))
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
    assert client.get("/", headers={"Host": "localhost"}).status_code == 200


def test_the_pages_are_those_of_the_package_else_of_the_checkout(tmp_path: Path) -> None:
    assert folder_of(Settings(ui_folder=str(tmp_path))) == tmp_path
    assert folder_of(Settings()) in (PACKAGED, PACKAGED.parents[3] / "web" / "dist")
