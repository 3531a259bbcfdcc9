"""What one run may take of what all share: bytes of blobs, keys of state, steps.

A run that loops by mistake ends at one of them, before the disk or the database is full.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell.errors import InvalidInput
from stepwell.server.blobs import service as blobs
from stepwell.server.runs import queries
from stepwell.server.settings import Settings
from stepwell.server.state import service as state
from stepwell.step import StepQuery
from stepwell.stores.protocol import Transaction

_WHY: Final = "A run may take so much, so that one that loops cannot fill what all share."
_FEWER: Final = "Have one step do more of the work, or set STEPWELL_STEPS_PER_RUN."


class RunQuotaReached(InvalidInput):
    """The run has kept, or added, as much as one run may."""

    code = "run-quota"


def check_bytes(conn: Connection, settings: Settings, run_id: UUID, size: int) -> None:
    """It may keep so many bytes more; raises `RunQuotaReached`. Its log has a limit of its own."""
    most = settings.blob_bytes_per_run
    if not most:
        return
    has = blobs.bytes_of_run(conn, run_id)
    if has + size > most:
        raise RunQuotaReached(
            f"The run keeps {has:,} bytes of reports and results, and may keep {most:,}.",
            why=_WHY,
            fix="Keep large data elsewhere and hand on where it is, or set "
            "STEPWELL_BLOB_BYTES_PER_RUN.",
        )


def check_keys(conn: Connection, settings: Settings, run_id: UUID) -> None:
    """It may write a key of state more; raises `RunQuotaReached`.

    What is staged counts too, whatever becomes of it.
    """
    most = settings.state_keys_per_run
    if not most:
        return
    if state.keys_made_by(conn, run_id, most) + queries.staged_state(conn, run_id, most) >= most:
        raise RunQuotaReached(
            f"The run has made, or is about to write, {most:,} keys of state.",
            why=_WHY,
            fix="Put many small values into one, or set STEPWELL_STATE_KEYS_PER_RUN.",
        )


def check_steps(tx: Transaction, run_id: UUID, more: int, most: int) -> None:
    """So many steps more may be added to its flow; raises `RunQuotaReached`."""
    if most and steps(tx, run_id, most) + more > most:
        raise RunQuotaReached(
            f"A run may have {most:,} steps, and this one would have more.",
            why=_WHY,
            fix=_FEWER,
        )


def crowded(most: int) -> str:
    """Why a run is ended whose operations follow each other without end, and what to do."""
    return f"It has more than the {most:,} steps that a run may have. {_FEWER}"


def steps(tx: Transaction, run_id: UUID, most: int) -> int:
    """How many steps a run has; no table is counted much further than `most`."""
    found = tx.count(StepQuery(flow_id=run_id), at_most=most + 1)
    return found.ready + found.done + found.failed
