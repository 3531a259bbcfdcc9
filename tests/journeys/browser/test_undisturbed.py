"""The journeys' browser does not hear of network interfaces, and so lets no request fall."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.journeys.browser.undisturbed import wrapped

_OPEN = "import socket; socket.socket(socket.{family}, socket.SOCK_RAW if {raw} else 1)"
LINUX_ROOT = sys.platform.startswith("linux") and os.geteuid() == 0

pytestmark = pytest.mark.skipif(not LINUX_ROOT, reason="only done on Linux, as root")


def opened(program: str, family: str, *, raw: bool) -> subprocess.CompletedProcess[str]:
    code = _OPEN.format(family=family, raw=raw)
    return subprocess.run([program, "-c", code], capture_output=True, text=True, check=False)


def test_what_is_started_undisturbed_gets_no_netlink_socket_but_all_others(tmp_path: Path) -> None:
    program = wrapped(sys.executable, tmp_path)
    assert opened(sys.executable, "AF_NETLINK", raw=True).returncode == 0
    refused = opened(program, "AF_NETLINK", raw=True)
    assert "not supported" in refused.stderr
    assert opened(program, "AF_INET", raw=False).returncode == 0
