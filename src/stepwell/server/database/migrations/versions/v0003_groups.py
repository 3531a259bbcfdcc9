"""Sources of images, and when a group is discovered again by itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stepwell.server.database.tables import Instant

revision = "0003"
down_revision = "0002"

GROUPS = ("rediscover", "watch_every", "looked_at", "look_error")


def upgrade() -> None:
    """Add tables and nullable columns; nothing that is there changes."""
    op.add_column("groups", sa.Column("rediscover", sa.JSON(none_as_null=True)))
    op.add_column("groups", sa.Column("watch_every", sa.Float()))
    op.add_column("groups", sa.Column("looked_at", Instant()))
    op.add_column("groups", sa.Column("look_error", sa.JSON(none_as_null=True)))
    op.add_column("discoveries", sa.Column("image", sa.Text()))
    _sources()
    _source_images()


def downgrade() -> None:
    """Take away what was added."""
    op.drop_table("source_images")
    op.drop_table("sources")
    op.drop_column("discoveries", "image")
    for name in reversed(GROUPS):
        op.drop_column("groups", name)


def _sources() -> None:
    op.create_table(
        "sources",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("include", sa.JSON(), nullable=False),
        sa.Column("exclude", sa.JSON(), nullable=False),
        sa.Column("credentials", sa.JSON(), nullable=False),
        sa.Column("launcher", sa.String(20), nullable=False),
        sa.Column("scan_every", sa.Float()),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("requested_at", Instant()),
        sa.Column("scanned_at", Instant()),
        sa.Column("scan_error", sa.JSON(none_as_null=True)),
        sa.Column("scan_count", sa.Integer()),
        sa.PrimaryKeyConstraint("name", name="pk_sources"),
    )


def _source_images() -> None:
    op.create_table(
        "source_images",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_name", sa.String(100), nullable=False),
        sa.Column("image", sa.String(1000), nullable=False),
        sa.Column("digest", sa.String(100)),
        sa.Column("error", sa.JSON(none_as_null=True)),
        sa.Column("stated_name", sa.String(100)),
        sa.Column("first_seen_at", Instant(), nullable=False),
        sa.Column("last_seen_at", Instant(), nullable=False),
        sa.Column("gone_at", Instant()),
        sa.Column("dismissed_at", Instant()),
        sa.Column("dismissed_by", sa.String(100)),
        sa.Column("reason", sa.Text()),
        sa.ForeignKeyConstraint(
            ["source_name"], ["sources.name"], name="fk_source_images_source_name"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_source_images"),
        sa.UniqueConstraint("source_name", "image", name="uq_source_images_source_name_image"),
    )
