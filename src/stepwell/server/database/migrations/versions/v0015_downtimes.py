"""What somebody decided about the instants that a downtime left missed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stepwell.server.database.tables import Instant

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Columns that may be empty."""
    op.add_column("downtimes", sa.Column("answer", sa.String(20)))
    op.add_column("downtimes", sa.Column("answered_by", sa.String(100)))
    op.add_column("downtimes", sa.Column("answered_at", Instant))
    op.add_column("downtimes", sa.Column("answer_reason", sa.Text))


def downgrade() -> None:
    """The reverse."""
    for name in ("answer_reason", "answered_at", "answered_by", "answer"):
        op.drop_column("downtimes", name)
