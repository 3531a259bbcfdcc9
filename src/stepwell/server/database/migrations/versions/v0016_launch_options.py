"""What a release's group asked of its launcher, so that a review can say what is another now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """A column that may be empty."""
    op.add_column("releases", sa.Column("launch_options", sa.JSON))


def downgrade() -> None:
    """The reverse."""
    op.drop_column("releases", "launch_options")
