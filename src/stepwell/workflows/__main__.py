"""`python -m stepwell.workflows`: what a launcher starts inside an image.

The imports of the runner and of the group's process are the same, so they are done once, by a
process that forks the other: half of the time until the first operation. The token must not be
in the memory of what is forked (R35), so this process, which has it in its environment, first
becomes one that has it in a pipe.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Final

_SELF: Final = "stepwell.workflows"
_NEXT: Final = "stepwell.workflows.cold"
_SECRETS: Final = ("STEPWELL_TOKEN",)


def main() -> int:
    """Do what the environment says; the exit code."""
    secret = {name: os.environ.pop(name) for name in _SECRETS if name in os.environ}
    if secret and sys.platform == "linux" and sys.orig_argv[-1] == _SELF:
        _become(json.dumps(secret).encode())
    os.environ.update(secret)
    # Here, as the way above must not pay for it.
    from stepwell.workflows.runner import main as run  # noqa: PLC0415

    return run(os.environ)


def _become(secrets: bytes) -> None:
    """The same process anew, without the secrets in its environment; returns if that fails."""
    reading, writing = os.pipe()
    try:
        os.write(writing, secrets)
        os.set_inheritable(reading, True)
        command = [*sys.orig_argv[:-1], _NEXT, str(reading)]
        os.execve(sys.executable, command, os.environ)  # noqa: S606
    except OSError:
        os.close(reading)
        os.close(writing)


if __name__ == "__main__":
    sys.exit(main())
