"""Google's and Azure's object storage, as far as it can be had on one machine.

Google's is asked by the XML API, which is that of S3: moto answers it, once what shows who asks
is said in Amazon's words. (The emulators for Google speak the JSON API alone, which obstore
does not.) Azure's is Azurite, Microsoft's own emulator, where `azurite-blob` is installed:
`npm install --global azurite`; it is too large to be installed for the tests.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final
from unittest import mock

import httpx
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from tests.ports import free_port

ACCOUNT: Final = "devstoreaccount1"
KEY: Final = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""Of Azurite, and known to everybody."""

_AMAZONS: Final = "AWS4-HMAC-SHA256 Credential=me/20260101/us-east-1/s3/aws4_request, Signature=x"


@contextmanager
def spoken_to_by_google() -> Iterator[None]:
    """Moto takes who shows a token of Google, or an empty one, for one who has signed."""
    as_it_is = DomainDispatcherApplication.__call__

    def said(self: Any, environ: dict[str, Any], start: Any) -> Any:
        if not environ.get("HTTP_AUTHORIZATION", "").startswith("AWS4"):
            environ["HTTP_AUTHORIZATION"] = _AMAZONS
        return as_it_is(self, environ, start)

    with mock.patch.object(DomainDispatcherApplication, "__call__", said):
        yield


def point_google_at(address: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service account that needs no login, and whose storage is there."""
    account = {"gcs_base_url": address, "disable_oauth": True}
    path = folder / "account.json"
    path.write_text(
        json.dumps({**account, "client_email": "", "private_key": "", "private_key_id": ""})
    )
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(path))


@contextmanager
def azurite(folder: Path) -> Iterator[str]:
    """The emulator, with the container `stepwell`; yields the address of its account."""
    command = shutil.which("azurite-blob")
    if command is None:
        pytest.skip("azurite-blob is not installed: npm install --global azurite")
    port = free_port()
    process = subprocess.Popen(
        [command, "--silent", "--location", str(folder), "--blobPort", str(port)]
    )
    address = f"http://127.0.0.1:{port}/{ACCOUNT}"
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=10)) as client:
            _make_container(client, address, "stepwell")
        yield address
    finally:
        process.terminate()
        process.wait()


def point_azure_at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Say where Azure is, as an operator does."""
    for name, value in {
        "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
        "AZURE_STORAGE_ACCOUNT_KEY": KEY,
        "AZURE_STORAGE_ENDPOINT": address,
        "AZURE_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)


def _make_container(client: httpx.Client, address: str, name: str) -> None:
    now, version = formatdate(usegmt=True), "2021-08-06"
    lines = ["PUT", *[""] * 11, f"x-ms-date:{now}", f"x-ms-version:{version}"]
    told = "\n".join([*lines, f"/{ACCOUNT}/{ACCOUNT}/{name}", "restype:container"])
    signed = hmac.digest(base64.b64decode(KEY), told.encode(), hashlib.sha256)
    headers = {
        "x-ms-date": now,
        "x-ms-version": version,
        "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(signed).decode()}",
        "Content-Length": "0",
    }
    made = client.put(f"{address}/{name}?restype=container", headers=headers, timeout=90)
    made.raise_for_status()
