"""Where the command line finds its server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stepwell.cli.profile import NoServer, Profile, ProfileInvalid, read, resolve, write

KEPT = Profile("http://127.0.0.1:8420", "kept-secret")


def test_a_profile_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = write(tmp_path / ".stepwell", KEPT)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read(path).token == "kept-secret"


def test_a_profile_keeps_itself_out_of_git(tmp_path: Path) -> None:
    write(tmp_path / ".stepwell", KEPT)
    assert (tmp_path / ".stepwell" / ".gitignore").read_text() == "*\n"


def test_writing_again_narrows_a_file_that_was_open_to_all(tmp_path: Path) -> None:
    path = write(tmp_path, KEPT)
    path.chmod(0o644)
    assert write(tmp_path, KEPT).stat().st_mode & 0o777 == 0o600


def test_the_nearest_profile_upward_is_used(tmp_path: Path) -> None:
    write(tmp_path / ".stepwell", KEPT)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    found = resolve(None, None, {}, below)
    assert (found.url, found.token) == (KEPT.url, KEPT.token)


def test_an_option_wins_over_the_environment_and_that_over_the_profile(tmp_path: Path) -> None:
    write(tmp_path / ".stepwell", KEPT)
    environment = {"STEPWELL_URL": "http://env", "STEPWELL_TOKEN": "from-env"}
    assert resolve("http://option", "t", environment, tmp_path).url == "http://option"
    assert resolve(None, None, environment, tmp_path).url == "http://env"
    assert resolve(None, None, environment, tmp_path).token == "from-env"


def test_the_kept_token_is_not_shown_to_another_server(tmp_path: Path) -> None:
    write(tmp_path / ".stepwell", KEPT)
    assert resolve("http://elsewhere", None, {}, tmp_path).token == ""
    assert resolve(KEPT.url + "/", None, {}, tmp_path).token == "kept-secret"


def test_without_any_server_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(NoServer) as caught:
        resolve(None, None, {}, tmp_path)
    assert "stepwell dev" in caught.value.fix


def test_a_damaged_profile_is_named(tmp_path: Path) -> None:
    path = tmp_path / "client.json"
    path.write_text("[]")
    with pytest.raises(ProfileInvalid) as caught:
        read(path)
    assert str(path) in caught.value.what


def test_a_profile_that_cannot_be_written_leaves_the_old_one_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another command may read it at any moment."""
    path = write(tmp_path, KEPT)

    def full(*_: object, **__: object) -> str:
        assert read(path).token == "kept-secret"
        raise OSError("No space left on device")

    monkeypatch.setattr(json, "dumps", full)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path, Profile("http://127.0.0.1:1", "new"))
    assert read(path).token == "kept-secret"
    assert sorted(one.name for one in tmp_path.iterdir()) == [".gitignore", "client.json"]
