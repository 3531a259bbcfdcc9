"""Start a browser that does not hear of network interfaces which come and go.

    python undisturbed.py CHROMIUM ARGUMENT...

When one does, as with every container that begins beside the journeys, Chromium gives up all
requests that wait for a connection, with ERR_NETWORK_CHANGED, and no switch of its own prevents
that. It hears of them through a netlink socket and does without where there is none; so the
kernel refuses it one. Only on Linux and without Chromium's sandbox, that is as root: a program
that has taken on such a filter may not gain the rights the sandbox begins with.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from pathlib import Path

_SOCKET = {"x86_64": 41, "aarch64": 198}
"""The number of the system call `socket`."""
_NETLINK = 16
_NO_NEW_RIGHTS, _SET_FILTER, _BY_PROGRAM = 38, 22, 2
"""Of prctl(2)."""
_LOAD, _SKIP_UNLESS, _ANSWER = 0x20, 0x15, 0x06
_CALL_AT, _FIRST_ARGUMENT_AT = 0, 16
"""Of struct seccomp_data, in bytes."""
_REFUSE, _ALLOW = 0x0005_0000, 0x7FFF_0000


def wrapped(chromium: str, folder: Path) -> str:
    """An executable that starts it so, or itself where that cannot be."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return chromium
    made = folder / "chromium"
    made.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{chromium}" "$@"\n')
    made.chmod(0o755)
    return str(made)


def _filter(call: int) -> bytes:
    """`socket(AF_NETLINK, ...)` has no such family; all else is as it was."""
    lines = (
        (_LOAD, 0, 0, _CALL_AT),
        (_SKIP_UNLESS, 0, 3, call),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        (_SKIP_UNLESS, 0, 1, _NETLINK),
        (_ANSWER, 0, 0, _REFUSE | errno.EAFNOSUPPORT),
        (_ANSWER, 0, 0, _ALLOW),
    )
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _refuse_netlink() -> None:
    """From here on, in this process and in those that it becomes and begins.

    Where the kernel has no filters the browser starts all the same.
    """
    call = _SOCKET.get(os.uname().machine)
    if call is None:
        return
    lines = _filter(call)
    held = ctypes.create_string_buffer(lines, len(lines))
    program = struct.pack("HxxxxxxP", len(lines) // 8, ctypes.addressof(held))
    prctl = ctypes.CDLL(None).prctl
    prctl(_NO_NEW_RIGHTS, 1, 0, 0, 0)
    prctl(_SET_FILTER, _BY_PROGRAM, program, 0, 0)


if __name__ == "__main__":
    _refuse_netlink()
    os.execv(sys.argv[1], sys.argv[1:])
