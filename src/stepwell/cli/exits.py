"""What the exit code of `stepwell` says, and how an error becomes words on stderr."""

from __future__ import annotations

import json
from enum import IntEnum
from typing import Final

from stepwell.cli.terminal import harmless
from stepwell.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    SetupError,
    StepwellError,
    Unavailable,
)


class Exit(IntEnum):
    """The exit codes, documented in docs/reference/cli.md."""

    OK = 0
    FAILED = 1
    MISTAKE = 2
    UNREACHABLE = 3
    DENIED = 4
    NOT_FOUND = 5
    CONFLICT = 6
    SETUP = 7
    WARNED = 8


MEANING: Final[dict[Exit, str]] = {
    Exit.OK: "it worked",
    Exit.FAILED: "the thing itself failed: a run, a discovery; or a problem was found",
    Exit.MISTAKE: "what was given cannot be used; nothing was changed",
    Exit.UNREACHABLE: "the server or the database cannot be reached; try again later",
    Exit.DENIED: "no token, a wrong one, or one whose role may not do this",
    Exit.NOT_FOUND: "the thing named does not exist",
    Exit.CONFLICT: "the thing exists, but is not in a condition that allows this",
    Exit.SETUP: "something is not set up: no migrated database, a part not installed",
    Exit.WARNED: "nothing is broken, but `stepwell doctor` found what wants attention",
}

_BY_KIND: Final[tuple[tuple[type[StepwellError], Exit], ...]] = (
    (InvalidInput, Exit.MISTAKE),
    (NotFound, Exit.NOT_FOUND),
    (Conflict, Exit.CONFLICT),
    (Denied, Exit.DENIED),
    (Unavailable, Exit.UNREACHABLE),
    (SetupError, Exit.SETUP),
)


class WorkFailed(StepwellError):
    """What was asked for was done, and ended badly: a run or a discovery failed."""

    code = "work-failed"


def exit_code(error: StepwellError) -> Exit:
    """The exit code for an error of that kind; 1 for what has no kind of its own."""
    for kind, code in _BY_KIND:
        if isinstance(error, kind):
            return code
    return Exit.FAILED


def described(error: StepwellError, *, as_json: bool) -> str:
    """The error as lines for a person, or as one JSON object for a program."""
    if as_json:
        return json.dumps(error.as_dict(), ensure_ascii=False)
    parts = {"error": error.what, "  why": error.why, "  fix": error.fix, " code": error.code}
    return "\n".join(f"{name}: {_aligned(text)}" for name, text in parts.items() if text)


def _aligned(text: str) -> str:
    """Further lines stand under the first; their order is kept, their indents are not."""
    return "\n       ".join(harmless(line.strip()) for line in text.strip().splitlines())
