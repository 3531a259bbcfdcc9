"""What a transaction has in common whose claims are marks on rows, and never locks alone."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from stepwell.errors import NotSupported
from stepwell.step import Claim


class Marked:
    """Has no claims to be held."""

    def hold(
        self, engine_id: UUID, request_id: UUID, claims: Sequence[Claim], *, freed: bool = False
    ) -> int:
        """Not offered: rows are never only locked here."""
        raise NotSupported("This store marks its claims at once.")
