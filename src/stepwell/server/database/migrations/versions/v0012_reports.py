"""Which reports are of an attempt that failed, ran out of time or was killed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """A column with a default, which a server of the version before leaves to it."""
    failed = sa.Column("of_failure", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("reports", failed)


def downgrade() -> None:
    """The reverse."""
    op.drop_column("reports", "of_failure")
