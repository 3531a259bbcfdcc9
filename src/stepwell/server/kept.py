"""The list of all that is kept for some time only. A room adds itself by one line in `KINDS`."""

from __future__ import annotations

from typing import Final

from stepwell.server.access import kept as access
from stepwell.server.retention.records import Kind

KINDS: Final[tuple[Kind, ...]] = (*access.KINDS,)
"""Every kind, in the order in which they are shown and swept."""
