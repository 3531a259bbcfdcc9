"""How a container ended, in words; without any engine."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from stepwell.launchers.container import words
from stepwell.launchers.container.output import HeadAndTail, frames
from stepwell.launchers.container.references import parse, repo_digests

BEGUN = "2026-01-31T10:00:00.123456789+02:00"


def container(code: int = 0, *, status: str = "exited", **state: Any) -> dict[str, Any]:
    return {
        "Created": BEGUN,
        "State": {
            "Status": status,
            "ExitCode": code,
            "StartedAt": BEGUN,
            "FinishedAt": "2026-01-31T08:00:05Z",
            **state,
        },
        "HostConfig": {"Memory": 512 * 1024**2},
        "Config": {"Labels": {"stepwell.deadline": "60.0"}},
    }


@pytest.mark.parametrize(
    ("found", "mark", "reason"),
    [
        (container(0), None, "It ended."),
        (container(3), None, "It ended with exit code 3."),
        (container(137, OOMKilled=True), None, "limit of 512 MiB (out of memory)"),
        (container(137), None, "limit of 512 MiB (out of memory), which this engine does not tell"),
        (container(139), None, "It was ended by SIGSEGV (exit code 139)."),
        (container(127), None, "Its command could not be run"),
        (container(1, Error="no room"), None, "The engine says: no room"),
        (container(143), "stopped", "It was stopped on request."),
        (container(137), "deadline", "It ran longer than its deadline and was stopped."),
    ],
)
def test_every_end_has_its_words(found: dict[str, Any], mark: str | None, reason: str) -> None:
    assert reason in words.status(found, mark).reason


@pytest.mark.parametrize("found", [container(137, OOMKilled=True), container(137)])
def test_who_needed_too_much_memory_is_told_what_it_used_when_it_was_looked_at(
    found: dict[str, Any],
) -> None:
    assert words.status(found, None, 500 * 2.0**20).reason.endswith(
        "; it used 500 MiB when last looked at."
    )
    assert "looked at" not in words.status(found, None).reason
    assert "looked at" not in words.status(container(3), None, 500 * 2.0**20).reason


def test_instants_are_utc_and_never_is_none() -> None:
    """Engines write their own zone, nanoseconds, and year 1."""
    assert str(words.started_at(container())) == "2026-01-31 08:00:00.123456+00:00"
    assert words.started_at(container(StartedAt="0001-01-01T00:00:00Z")) is None


def test_it_is_overdue_after_its_deadline_and_only_while_it_runs() -> None:
    """Counted from its start."""
    begun = words.started_at(container()) or datetime.min
    running = container(status="running")
    assert not words.overdue(running, begun + timedelta(seconds=60))
    assert words.overdue(running, begun + timedelta(seconds=61))
    assert not words.overdue(container(), begun + timedelta(seconds=61))


def test_frames_may_be_cut_anywhere() -> None:
    """The engine's pieces have nothing to do with its frames."""
    one, two = b"\1\0\0\0\0\0\0\3abc", b"\2\0\0\0\0\0\0\2de"
    text = one + two
    for cut in range(len(text)):
        assert list(frames([text[:cut], text[cut:]])) == [b"abc", b"de"]


def test_head_and_tail_are_kept_and_the_cut_is_counted() -> None:
    """Half of the limit each."""
    kept = HeadAndTail(8)
    for data in (b"abcdef", b"ghi", b"jkl", b"mnop"):
        kept.add(data)
    assert kept.text() == "abcd\n... 8 bytes were cut here ...\nmnop"
    short = HeadAndTail(8)
    short.add(b"abcdef")
    assert short.text() == "abcdef"


@pytest.mark.parametrize(
    ("image", "repository", "tag", "qualified"),
    [
        ("weather", "weather", "latest", False),
        ("localhost/weather:2", "localhost/weather", "2", False),
        ("localhost:5000/weather", "localhost:5000/weather", "latest", True),
        ("ghcr.io/a/b:1.0", "ghcr.io/a/b", "1.0", True),
        ("ghcr.io/a/b@sha256:0a", "ghcr.io/a/b", "", True),
    ],
)
def test_a_name_has_parts(image: str, repository: str, tag: str, qualified: bool) -> None:
    found = parse(image)
    assert (found.repository, found.tag, found.qualified) == (repository, tag, qualified)


def test_the_digest_is_that_of_the_own_registry() -> None:
    """An image may have been pushed to several."""
    known = ["docker.io/a/b@sha256:1", "ghcr.io/a/b@sha256:2"]
    assert repo_digests(parse("ghcr.io/a/b:1"), known) == ["sha256:2"]
    assert repo_digests(parse("quay.io/a/b:1"), known) == []
