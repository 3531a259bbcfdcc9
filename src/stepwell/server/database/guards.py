"""Triggers by which the database itself keeps the audit log append-only.

Entries cannot be changed at all. They can be removed only where they are older than
the horizon, a row that retention moves forward, and that can never come nearer to
now than `DAYS` days. Who owns the tables can drop the triggers; the server does not.
"""

from __future__ import annotations

from typing import Final

DAYS: Final = 30
"""Whatever a policy says, entries of the last so many days stay."""

_SQLITE: Final = (
    """
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
""",
    """
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
WHEN OLD.at >= coalesce((SELECT before FROM audit_horizon), '')
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
""",
    # INSERT OR REPLACE would remove the old row without a word to the trigger above.
    """
CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
""",
    f"""
CREATE TRIGGER audit_horizon_is_far BEFORE UPDATE ON audit_horizon
WHEN NEW.before > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-{DAYS} days')
BEGIN SELECT RAISE(ABORT, 'the audit log keeps the last {DAYS} days'); END
""",
    """
CREATE TRIGGER audit_horizon_is_one BEFORE INSERT ON audit_horizon
WHEN EXISTS (SELECT 1 FROM audit_horizon)
BEGIN SELECT RAISE(ABORT, 'there is one horizon'); END
""",
    """
CREATE TRIGGER audit_horizon_stays BEFORE DELETE ON audit_horizon
BEGIN SELECT RAISE(ABORT, 'there is one horizon'); END
""",
)

_POSTGRES: Final = (
    """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.at < (SELECT before FROM audit_horizon) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'check_violation';
END $$
""",
    f"""
CREATE FUNCTION audit_horizon_is_far() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' OR NEW.before > now() - interval '{DAYS} days' THEN
    RAISE EXCEPTION 'the audit log keeps the last {DAYS} days' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
""",
    """
CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()
""",
    """
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
""",
    """
CREATE TRIGGER audit_horizon_is_kept BEFORE INSERT OR UPDATE OR DELETE ON audit_horizon
FOR EACH ROW EXECUTE FUNCTION audit_horizon_is_far()
""",
)


def forbid_changes_of_audit(dialect: str) -> tuple[str, ...]:
    """The statements that make the triggers; `dialect` is SQLAlchemy's name of it."""
    return _SQLITE if dialect == "sqlite" else _POSTGRES
