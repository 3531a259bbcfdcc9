"""A blob that several runs refer to: large results that a re-execution has taken over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """A new table, which is empty until a re-execution takes a large result over."""
    op.create_table(
        "blob_uses",
        sa.Column("blob_id", sa.Uuid, nullable=False),
        sa.Column("run_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("blob_id", "run_id", name="pk_blob_uses"),
    )
    op.create_index("ix_blob_uses_run_id", "blob_uses", ["run_id"])


def downgrade() -> None:
    """The reverse."""
    op.drop_table("blob_uses")
