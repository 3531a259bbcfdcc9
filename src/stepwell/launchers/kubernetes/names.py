"""How Jobs are named and labelled: by the installation and by the launch."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final

MANAGER: Final = "app.kubernetes.io/managed-by"
OWNER: Final = "stepwell.owner"
LAUNCH: Final = "stepwell.launch"
MODE: Final = "stepwell.mode"
RUN: Final = "stepwell.run"
ATTEMPT: Final = "stepwell.attempt"

STOP: Final = "stepwell.stop"
"""An annotation: why the Job was asked to stop; empty while it was not."""
ENVIRONMENT: Final = "stepwell.environment"
"""An annotation: the name of the Secret with the environment."""
PROBE: Final = "probe"
"""The mode of Jobs that only have an image looked at."""

LONGEST: Final = 63
"""The most characters of a label's value, which a Job's name becomes."""
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,118}[a-z0-9])?")


def can_be(launch: str) -> bool:
    """Whether it can be the name of a launch."""
    return _NAME.fullmatch(launch) is not None


def job_name(owner: str, launch: str) -> str:
    """The name of the Job of a launch; one that is too long ends in its hash."""
    name = f"sw-{owner}-{launch}"
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 13]}-{_hash(launch)}"


def is_mine(owner: str, name: str) -> bool:
    """Whether a Job or pod of that name is of this installation."""
    return name.startswith(f"sw-{owner}-")


def secret_name(job: str) -> str:
    """A name for a Job's Secret: another one for another Job of the same name."""
    return f"{job}-{secrets.token_hex(4)}"


def selector(owner: str) -> str:
    """Selects all that is of this installation."""
    return f"{OWNER}={owner}"


def labels(owner: str, launch: str, mode: str) -> dict[str, str]:
    """Of a Job, its pod and its Secret; names of runs and attempts are `<run>-<attempt>`."""
    subject, _, number = launch.rpartition("-")
    of_run = {RUN: label(subject), ATTEMPT: number} if number.isdigit() else {}
    return {
        "app.kubernetes.io/name": "stepwell",
        MANAGER: "stepwell",
        OWNER: owner,
        LAUNCH: label(launch),
        MODE: mode,
        **of_run,
    }


def label(text: str) -> str:
    """A text as the value of a label; one that is too long ends in its hash."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 13]}-{_hash(text)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
