"""What is large and rarely needed is an extra of its own: without it a server works, and says
what to install where it is wanted."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stepwell.errors import SetupError
from stepwell.schedules import calendars
from stepwell.schedules.errors import CalendarUnknown
from stepwell.server import app
from stepwell.server.blobs import store
from stepwell.server.settings import Settings


def absent(monkeypatch: pytest.MonkeyPatch, module: Any, *packages: str) -> None:
    found = importlib.util.find_spec
    seen = lambda name: None if name in packages else found(name)  # noqa: E731
    monkeypatch.setattr(module, "find_spec", seen)


def test_public_holidays_want_the_extra_calendars(monkeypatch: pytest.MonkeyPatch) -> None:
    absent(monkeypatch, calendars, "holidays")
    with pytest.raises(CalendarUnknown, match=r"stepwell\[calendars\]"):
        calendars.found("holidays:SE-QQ", {})


def test_object_storage_wants_the_extra_blobs(monkeypatch: pytest.MonkeyPatch) -> None:
    absent(monkeypatch, store, "obstore")
    with pytest.raises(store.BlobStoreInvalid, match=r"stepwell\[blobs\]"):
        store.BlobStore.at("s3://bucket")


@pytest.mark.parametrize("package", ["authlib", "joserfc"])
def test_a_provider_wants_the_extra_oidc(
    package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    absent(monkeypatch, app, package)
    settings = replace(Settings.for_dev(tmp_path), oidc_issuer="https://id.example.org")
    with pytest.raises(SetupError, match=r"stepwell\[oidc\]"):
        app.Server(settings, launchers={})
