"""Which keys of state came to be by a run: so many may, and each that is new is counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """An index of the first version of each key."""
    first = sa.text("version = 1")
    op.create_index(
        "ix_state_entries_made_by",
        "state_entries",
        ["run_id"],
        sqlite_where=first,
        postgresql_where=first,
    )


def downgrade() -> None:
    """The reverse."""
    op.drop_index("ix_state_entries_made_by", "state_entries")
