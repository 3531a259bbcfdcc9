"""Who waits for an end of a launch never takes what is another's, whatever is closed meanwhile."""

from __future__ import annotations

import fcntl
import os
import resource
from pathlib import Path
from types import SimpleNamespace

from tests.pipes import readable

from stepwell.launchers.notices import Bell, Notices, wait_for_an_end


def test_a_ring_is_waited_for() -> None:
    bell = Bell()
    bell.ring()
    wait_for_an_end([SimpleNamespace(notices=bell.notices)], 90.0)
    assert not readable([bell.notices], 0.0)
    bell.close()


def test_a_ring_is_heard_however_many_files_and_connections_are_open() -> None:
    """`select` takes no number beyond 1,023; a server with that many connections has them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        reading, writing = os.pipe()
        high = Notices(fcntl.fcntl(reading, fcntl.F_DUPFD, 2_000))
        os.write(writing, b".")
        wait_for_an_end([SimpleNamespace(notices=high)], 5.0)
        assert not readable([high], 0.0), "it was not read: the wait was a mere pause"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for one in (reading, writing):
        os.close(one)


def test_a_bell_that_is_closed_rings_at_nobody_elses_door() -> None:
    """A watch may tell of an end just when its launcher closes; numbers of pipes are used anew."""
    bell = Bell()
    bell.close()
    reading, writing = os.pipe()
    bell.ring()
    assert not readable([reading], 0.0)
    for one in (reading, writing):
        os.close(one)


def test_who_still_waits_takes_nothing_that_is_anothers(tmp_path: Path) -> None:
    """A file that is opened after the end has another number than the pipe that is waited for."""
    bell = Bell()
    waited_for = bell.notices
    bell.close()
    with (tmp_path / "another").open("w") as another:
        assert another.fileno() != waited_for.fileno()
    wait_for_an_end([SimpleNamespace(notices=waited_for)], 0.0)
