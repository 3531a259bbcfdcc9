"""What groups ask of their launcher."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """A column that may be empty."""
    op.add_column("groups", sa.Column("launch_options", sa.JSON))


def downgrade() -> None:
    """The reverse."""
    op.drop_column("groups", "launch_options")
