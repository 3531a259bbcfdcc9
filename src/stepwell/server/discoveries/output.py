"""What an image wrote, as people can read it: plain text, its end, within bounds."""

from __future__ import annotations

import re
from typing import Final

OUTPUT_BYTES: Final = 64 * 1024
"""So much of the end of an image's output is kept."""

TAIL_LINES: Final = 20
TAIL_LENGTH: Final = 4000
"""So much of it stands in the error itself, in characters."""

_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def readable(output: str) -> str:
    """The end of the output, without colours, cursor moves and other control characters.

    Of a line that overwrote itself (progress bars) the last state is kept.
    """
    text = _ESCAPES.sub("", output.encode()[-OUTPUT_BYTES:].decode(errors="ignore"))
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return _CONTROLS.sub("", "\n".join(lines))


def tail(text: str) -> str:
    """The last lines of what `readable` returns."""
    return "\n".join(text.rstrip().splitlines()[-TAIL_LINES:])[-TAIL_LENGTH:]
