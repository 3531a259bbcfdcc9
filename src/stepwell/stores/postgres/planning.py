"""What bursts ask, planned before they ask it: a new connection plans each statement for itself,
which for ours takes longer than to run it."""

from __future__ import annotations

from typing import Final

from stepwell.ids import new_id
from stepwell.stores.postgres import adding, claiming, settling
from stepwell.stores.postgres.statements import Statements
from stepwell.stores.protocol import ClaimRequest

_NOBODY: Final = ClaimRequest(
    engine_id=new_id(), request_id=new_id(), names=("",), queues=("",), limit=1, locking=True
)


def plan_bursts(statements: Statements) -> None:
    """Run them for no engine and about no rows: that changes nothing."""
    claiming.from_one_lane(statements, _NOBODY)
    statements.rows(*settling.ALIKE, **settling.ROWS.nothing())
    statements.rows(*adding.ALIKE, **adding.ROWS.nothing())
