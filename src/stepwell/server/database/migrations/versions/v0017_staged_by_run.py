"""What is staged, found by its run: with each settlement, and when a run is removed."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """An index of a table that is mostly empty."""
    op.create_index("ix_staged_run_id", "staged", ["run_id"])


def downgrade() -> None:
    """The reverse."""
    op.drop_index("ix_staged_run_id", "staged")
