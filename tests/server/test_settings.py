"""Settings come from the environment, and a wrong one is named."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.cli.serving.places import make_folder
from stepwell.errors import InvalidInput, SetupError
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.blobs.store import BlobStore
from stepwell.server.settings import Settings


def test_every_setting_has_a_variable() -> None:
    environment = {
        "STEPWELL_DATA_DIR": "/srv/stepwell",
        "STEPWELL_PORT": "9000",
        "STEPWELL_LAUNCHERS": "process, kubernetes",
        "STEPWELL_RUN_ENGINE": "0",
        "STEPWELL_DISCOVERY_TIMEOUT": "7.5",
    }
    found = Settings.from_environment(environment)
    assert found.data_dir == Path("/srv/stepwell")
    assert (found.port, found.run_engine, found.discovery_timeout) == (9000, False, 7.5)
    assert found.launchers == ("process", "kubernetes")


def test_what_is_given_by_name_wins_over_the_environment() -> None:
    assert Settings.from_environment({"STEPWELL_PORT": "9000"}, port=1).port == 1


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("STEPWELL_PORT", "many", "a whole number"),
        ("STEPWELL_RUN_API", "perhaps", "1 or 0"),
        ("STEPWELL_DISCOVERY_TIMEOUT", "soon", "a number of seconds"),
    ],
)
def test_a_variable_that_does_not_fit_is_named(name: str, text: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Settings.from_environment({name: text})
    assert name in caught.value.what
    assert words in caught.value.why


def test_images_may_reach_the_api_in_another_way_than_people() -> None:
    """On one host neither can use the address of the other."""
    given = Settings(public_url="http://127.0.0.1:8420", images_url="http://server:8420/")
    assert (given.url, given.url_for_images) == ("http://127.0.0.1:8420", "http://server:8420")
    assert Settings(public_url="https://flows.example").url_for_images == "https://flows.example"


def test_serve_enables_no_launcher_unless_told() -> None:
    """R42: the process launcher runs code on the server's own machine."""
    assert Settings().launchers == ()
    assert Settings.for_dev(Path("x")).launchers == ("process",)


def test_an_unknown_launcher_is_a_setup_error(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        Server(Settings(data_dir=tmp_path, launchers=("teleport",)))
    assert "'teleport'" in caught.value.what


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    key = settings.signing_key
    assert Settings(data_dir=tmp_path / "data").signing_key == key
    assert len(key) >= 32
    assert stat.S_IMODE((tmp_path / "data" / "secret.key").stat().st_mode) == 0o600


def _blob(folder: Path) -> None:
    BlobStore.on_disk(folder).put(new_id(), b"a report")


def _developing(folder: Path) -> None:
    with Server(Settings.for_dev(folder, run_engine=False)):
        pass


def _key(folder: Path) -> None:
    assert Settings(data_dir=folder).signing_key


@pytest.mark.parametrize("make", [make_folder, _blob, _key, _developing])
def test_the_data_directory_is_its_owners_alone(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    """SQLite's file in it holds all that the server would show nobody without a token."""
    before = os.umask(0o022)
    try:
        make(tmp_path / "data")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_key_that_is_there_is_read_and_not_tried_to_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request of a container did, with an fsync; on a full disk each of them failed."""
    key = Settings(data_dir=tmp_path).signing_key

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    assert Settings(data_dir=tmp_path).signing_key == key


def test_an_empty_key_is_refused(tmp_path: Path) -> None:
    """Whoever knows that it is empty could make every token."""
    (tmp_path / "secret.key").touch()
    with pytest.raises(SetupError) as caught:
        _ = Settings(data_dir=tmp_path).signing_key
    assert "is empty" in caught.value.what


def test_a_key_is_in_its_file_before_the_file_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk must not leave an empty key behind."""

    def full(handle: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        _ = Settings(data_dir=tmp_path).signing_key
    assert list(tmp_path.iterdir()) == []


def test_a_printed_setting_does_not_show_the_key() -> None:
    assert "hunter2" not in repr(Settings(secret_key="hunter2"))
