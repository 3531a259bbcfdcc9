"""Text from elsewhere as a terminal may be shown it."""

from __future__ import annotations

import re
from typing import Final

_PICTURES: Final = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"},
    **dict.fromkeys(range(0x7F, 0xA0), 0x2421),
}
"""Control characters, and what stands for them."""
_COLOUR: Final = re.compile(r"(\x1b\[[0-9;]*m)")


def harmless(text: str) -> str:
    """A text from elsewhere as a terminal may be shown it: none of its characters is a command."""
    return text.translate(_PICTURES)


def coloured(text: str) -> str:
    """As `harmless`, but colours stay: what a program has written for a terminal."""
    parts = _COLOUR.split(text.replace("\r\n", "\n"))
    return "".join(one if place % 2 else harmless(one) for place, one in enumerate(parts))
