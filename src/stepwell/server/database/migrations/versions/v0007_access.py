"""Users, sessions, links, scopes of tokens; an audit log that only grows; policies; the floor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stepwell.server.database.guards import forbid_changes_of_audit
from stepwell.server.database.tables import Instant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the tables, columns and triggers."""
    _users()
    _sessions()
    _one_time_links()
    _login_throttles()
    _retention_policies()
    op.add_column("runs", sa.Column("keep_reason", sa.Text()))
    _tokens()
    _audit()
    _floor()


def downgrade() -> None:
    """Drop what belongs to tables of this migration; the columns stay."""
    for name in TABLES:
        op.drop_table(name)


TABLES = (
    "sessions",
    "one_time_links",
    "login_throttles",
    "retention_policies",
    "users",
    "schema_floor",
)


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("email", sa.String(320)),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("password_hash", sa.String(200)),
        sa.Column("issuer", sa.String(500)),
        sa.Column("subject", sa.String(255)),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("disabled_at", Instant()),
        sa.Column("password_changed_at", Instant()),
        sa.Column("last_login_at", Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
        sa.UniqueConstraint("issuer", "subject", name="uq_users_issuer_subject"),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("how", sa.String(20), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_used_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("address", sa.String(64)),
        sa.Column("agent", sa.String(200)),
        sa.Column("revoked_at", Instant()),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("secret_hash", name="uq_sessions_secret_hash"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])


def _one_time_links() -> None:
    op.create_table(
        "one_time_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("challenge", sa.String(100)),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant()),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_one_time_links_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_one_time_links"),
        sa.UniqueConstraint("secret_hash", name="uq_one_time_links_secret_hash"),
    )
    op.create_index("ix_one_time_links_user_id", "one_time_links", ["user_id"])
    op.create_index("ix_one_time_links_expires_at", "one_time_links", ["expires_at"])


def _login_throttles() -> None:
    op.create_table(
        "login_throttles",
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("free_at", sa.Float(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_login_throttles"),
    )
    op.create_index("ix_login_throttles_changed_at", "login_throttles", ["changed_at"])


def _retention_policies() -> None:
    op.create_table(
        "retention_policies",
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("days", sa.Integer()),
        sa.Column("reason", sa.Text()),
        sa.Column("changed_by", sa.String(100), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_retention_policies"),
    )


def _tokens() -> None:
    read_only: sa.Column[bool] = sa.Column(
        "read_only", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("tokens", sa.Column("groups", sa.JSON(none_as_null=True)))
    op.add_column("tokens", read_only)
    op.add_column("tokens", sa.Column("user_id", sa.Uuid()))
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"])
    op.create_index("ix_answers_created_at", "answers", ["created_at"])


def _audit() -> None:
    for name in ("before", "after"):
        op.add_column("audit", sa.Column(name, sa.JSON(none_as_null=True)))
    op.add_column("audit", sa.Column("address", sa.String(64)))
    horizon = op.create_table(
        "audit_horizon",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("before", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_horizon"),
    )
    first = sa.literal("1970-01-01T00:00:00.000000Z")
    if op.get_bind().dialect.name == "postgresql":
        first = sa.cast(first, sa.DateTime(timezone=True))  # type: ignore[assignment]
    op.execute(horizon.insert().from_select(["id", "before"], sa.select(sa.literal(1), first)))
    for statement in forbid_changes_of_audit(op.get_bind().dialect.name):
        op.execute(statement)


def _floor() -> None:
    floor = op.create_table(
        "schema_floor",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("revision", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schema_floor"),
    )
    op.execute(floor.insert().values(id=1, revision="0001"))
