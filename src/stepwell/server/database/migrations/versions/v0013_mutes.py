"""One table of muted causes: what a server of the version before writes into the other one,
triggers write into this one."""

from __future__ import annotations

from typing import Final

from alembic import op

revision = "0013"
down_revision = "0012"

_COLUMNS: Final = "until, reason, muted_by, muted_at"
_FORGET: Final = "DELETE FROM notification_mutes WHERE cause = {row}.fingerprint"
_COPY: Final = (
    f"INSERT INTO notification_mutes (cause, {_COLUMNS}) "  # noqa: S608 - names of columns
    "VALUES (NEW.fingerprint, NEW.until, NEW.reason, NEW.muted_by, NEW.muted_at)"
)
_MOVE: Final = (
    f"INSERT INTO notification_mutes (cause, {_COLUMNS}) "  # noqa: S608 - names of columns
    f"SELECT fingerprint, {_COLUMNS} FROM cause_mutes WHERE fingerprint NOT IN "
    "(SELECT cause FROM notification_mutes)"
)
_SQLITE: Final = {
    "muted_causes_are_one": f"AFTER INSERT ON cause_mutes BEGIN {_FORGET}; {_COPY}; END",
    "unmuted_causes_are_one": f"AFTER DELETE ON cause_mutes BEGIN {_FORGET}; END",
}
_POSTGRES: Final = f"""
CREATE FUNCTION muted_causes_are_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    {_FORGET.format(row="NEW")};
    {_COPY};
  ELSE
    {_FORGET.format(row="OLD")};
  END IF;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Copy what is muted, and keep copying as long as an older server writes."""
    op.execute(_MOVE)
    if op.get_context().dialect.name == "sqlite":
        for name, event in _SQLITE.items():
            row = "NEW" if "INSERT" in event else "OLD"
            op.execute(f"CREATE TRIGGER {name} {event.format(row=row)}")
        return
    op.execute(_POSTGRES)
    op.execute(
        "CREATE TRIGGER muted_causes_are_one AFTER INSERT OR DELETE ON cause_mutes "
        "FOR EACH ROW EXECUTE FUNCTION muted_causes_are_one()"
    )


def downgrade() -> None:
    """The reverse; what was copied stays."""
    if op.get_context().dialect.name == "sqlite":
        for name in _SQLITE:
            op.execute(f"DROP TRIGGER {name}")
        return
    op.execute("DROP TRIGGER muted_causes_are_one ON cause_mutes")
    op.execute("DROP FUNCTION muted_causes_are_one()")
