"""The server's side of the template process: started with the first launch, and asked to fork.

Whatever goes wrong with it, a launch can be started without it: see `ProcessLauncher.start`.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from stepwell.launchers import template
from stepwell.launchers.notices import Notices

MODULE: Final = "stepwell.workflows.warm"
"""What the template imports: it runs a Python image."""

SECRETS: Final = ("STEPWELL_TOKEN",)
"""Handed to the process that runs the engine, before which the group's own is forked."""

AT_THE_START: Final = (
    *("PYTHON", "LD_", "LC_", "LANG", "TZ"),
    *("MALLOC_", "GLIBC_", "OPENSSL_"),
)
"""How variables begin that only a new interpreter would heed."""

_START_SECONDS: Final = 30.0
_PIPE: Final = 60_000
"""Bytes that a pipe takes while nobody reads it."""


class Template:
    """One template process, or none where it cannot be had.

    Parameters
    ----------
    folder : where it starts; it writes nothing there.
    environment : all that it sees of the server's own (R42).
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._environment = folder, dict(environment)
        self._one_at_a_time = threading.Lock()
        self._asked: socket.socket | None = None
        self._end: weakref.finalize[..., Template] | None = None
        self.notices: Notices | None = None

    def launch(self, folder: Path, environment: Mapping[str, str]) -> bool:
        """Have a launch forked into its folder; False: start it in another way."""
        plain, secret = _parted(environment)
        if sys.platform != "linux" or not self._heeds(environment) or len(plain) > _PIPE:
            return False
        with self._one_at_a_time:
            try:
                return self._ask(self._open(), folder, plain, secret)
            except OSError:
                self._close()
                return (folder / "process.json").exists()

    def close(self) -> None:
        """End it; what it has started lives on."""
        with self._one_at_a_time:
            self._close()

    def _heeds(self, environment: Mapping[str, str]) -> bool:
        own = self._environment
        return all(
            own.get(name) == value
            for name, value in environment.items()
            if name.startswith(AT_THE_START)
        )

    def _open(self) -> socket.socket:
        if self._asked is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            notices, told = os.pipe()
            with theirs:
                process = self._start(theirs.fileno(), told)
            os.close(told)
            ours.settimeout(_START_SECONDS)
            self._asked, self.notices = ours, Notices(notices)
            self._end = weakref.finalize(self, _end, ours, process)
        return self._asked

    def _start(self, asked: int, told: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", template.__name__, MODULE, str(asked), str(told)]
        return subprocess.Popen(
            command,
            cwd=self._folder,
            env=self._environment,
            pass_fds=(asked, told),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _ask(self, asked: socket.socket, folder: Path, plain: bytes, secret: bytes) -> bool:
        pipes = [_filled(plain), _filled(secret)]
        try:
            socket.send_fds(asked, [os.fsencode(folder)], pipes)
        finally:
            for one in pipes:
                os.close(one)
        if not asked.recv(1):
            raise ConnectionResetError
        return (folder / "process.json").exists()

    def _close(self) -> None:
        if self._end is not None:
            self._end()
        self._asked = self._end = self.notices = None


def _end(asked: socket.socket, process: subprocess.Popen[bytes]) -> None:
    asked.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1.0)
        return
    process.kill()  # it has not even imported what it is for
    process.wait()


def _parted(environment: Mapping[str, str]) -> tuple[bytes, bytes]:
    secret = {name: environment[name] for name in SECRETS if name in environment}
    plain = {name: value for name, value in environment.items() if name not in secret}
    return json.dumps(plain).encode(), json.dumps(secret).encode()


def _filled(content: bytes) -> int:
    """A pipe to read the content from, which was never on a disk."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as stream:
        stream.write(content)
    return reading
