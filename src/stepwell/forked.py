"""A process that was forked and did not start an interpreter anew."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from typing import IO, NoReturn

_LOOK_EVERY = 0.01


class Forked:
    """What `subprocess.Popen` is for a started program, as far as its users here need it.

    Parameters
    ----------
    pid : a child of this process, which nobody else waits for.
    stdout, stderr : the reading ends of its output, where it has any of its own.
    """

    def __init__(
        self, pid: int, stdout: IO[bytes] | None = None, stderr: IO[bytes] | None = None
    ) -> None:
        self.pid, self.stdout, self.stderr = pid, stdout, stderr
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it lives."""
        if self.returncode is None:
            self._wait(os.WNOHANG)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, when it has ended; raises `subprocess.TimeoutExpired`."""
        until = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if until is None:
                self._wait(0)
            elif time.monotonic() >= until:
                raise subprocess.TimeoutExpired(["fork"], timeout or 0.0)
            else:
                time.sleep(_LOOK_EVERY)
        assert self.returncode is not None
        return self.returncode

    def _wait(self, options: int) -> None:
        try:
            pid, status = os.waitpid(self.pid, options)
        except ChildProcessError:  # somebody has waited for every child
            self.returncode = 0
        else:
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)


def fork(work: Callable[[], int]) -> int:
    """The pid of a new process that does `work`, ends with its answer, and never returns here."""
    pid = os.fork()
    if pid == 0:
        _end_with(work)
    return pid


def _end_with(work: Callable[[], int]) -> NoReturn:
    """As an interpreter ends: what is raised is told, what is written is flushed."""
    code = 1
    try:
        code = work()
    except SystemExit as ended:
        code = _told(ended)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def _told(ended: SystemExit) -> int:
    if ended.code is None or isinstance(ended.code, int):
        return (ended.code or 0) & 0xFF
    sys.stderr.write(f"{ended.code}\n")
    return 1
