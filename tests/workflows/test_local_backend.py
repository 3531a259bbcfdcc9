"""Local state and reports: versions, expiry, names of files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.step import Claim
from stepwell.workflows import local_backend
from stepwell.workflows.context import Versioned, Write
from stepwell.workflows.errors import StateConflict
from stepwell.workflows.local_backend import LocalBackend, file_name
from stepwell.workflows.messages import Effects
from stepwell.workflows.reports import Report

CLAIM = Claim(new_id(), 1)


@pytest.fixture
def backend(tmp_path: Path) -> LocalBackend:
    return LocalBackend(tmp_path / "reports", tmp_path / "state.json")


def save(backend: LocalBackend, **fields: object) -> None:
    write = Write(scope="group", key="k", **fields)  # type: ignore[arg-type]
    backend.write_now(CLAIM, write)


def test_versions_rise_and_never_come_back(backend: LocalBackend) -> None:
    save(backend, value="a", expect_version=0)
    save(backend, delete=True)
    assert backend.read("group", "k") is None
    save(backend, value="b", expect_version=0)
    assert backend.read("group", "k") == Versioned("b", 3)


def test_an_entry_is_gone_after_its_time(
    backend: LocalBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(backend, value="a", ttl=600)
    assert backend.read("group", "k") is not None
    later = now() + timedelta(seconds=601)
    monkeypatch.setattr(local_backend, "now", lambda: later)
    assert backend.read("group", "k") is None
    with pytest.raises(StateConflict):
        save(backend, value="b", expect_version=1)


def test_state_is_read_again_from_its_file(backend: LocalBackend, tmp_path: Path) -> None:
    save(backend, value={"a": [1, None]}, ttl=1000)
    again = LocalBackend(tmp_path, tmp_path / "state.json")
    assert again.read("group", "k") == Versioned({"a": [1, None]}, 1)


def test_what_is_staged_counts_only_when_it_is_committed(backend: LocalBackend) -> None:
    effects = Effects(writes=[Write(scope="group", key="k", value=1)])
    backend.stage(CLAIM, effects)
    backend.drop(CLAIM)
    backend.commit(CLAIM)
    assert backend.read("group", "k") is None
    backend.stage(CLAIM, effects)
    backend.commit(CLAIM)
    assert backend.read("group", "k") == Versioned(1, 1)


@pytest.mark.parametrize(
    ("name", "media_type", "expected"),
    [
        ("rows", "application/json", "rows.json"),
        ("notes.md", "text/markdown", "notes.md"),
        ("../../etc/passwd", "text/plain", "etc-passwd.txt"),
        ("a b/c", "image/svg+xml", "a-b-c.svg"),
        ("data.bin", "application/octet-stream", "data.bin"),
        ("..", "application/octet-stream", "report"),
    ],
)
def test_a_report_is_a_file_in_its_folder_whatever_its_name(
    name: str, media_type: str, expected: str
) -> None:
    assert file_name(Report(name, "text", media_type, b"")) == expected
