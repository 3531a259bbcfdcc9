"""What a transaction has in common whose claims are marks on rows, and never locks alone."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from stepwell.errors import NotSupported
from stepwell.outcome import Settlement
from stepwell.step import Claim
from stepwell.stores.protocol import Answer


class Marked:
    """Has no claims to be held."""

    def hold(
        self, engine_id: UUID, request_id: UUID, claims: Sequence[Claim], *, freed: bool = False
    ) -> int:
        """Not offered: rows are never only locked here."""
        raise NotSupported("This store marks its claims at once.")

    def settle_last(self, engine_id: UUID, settlements: Sequence[Settlement]) -> Answer:
        """Not offered: claims are settled and made in one transaction here."""
        raise NotSupported("This store settles before it claims.")
