"""httpx without its own command line, which would bring click, rich and pygments: half of the
time that importing it takes, and 7 MiB of a server's memory.

It goes without where they are not installed, and is told here that they are not.
"""

from __future__ import annotations

import sys
from typing import Final

from stepwell.extras import needs

_COMMAND_LINE: Final = "httpx._main"

_is_known = _COMMAND_LINE in sys.modules
if not _is_known:
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment] # None: it cannot be imported
with needs("cli"):
    import httpx

if not _is_known:
    del sys.modules[_COMMAND_LINE]

__all__ = ["httpx"]
