"""What the room keeps for some time only."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement

from stepwell.server.database.tables import answers, login_throttles, one_time_links, sessions
from stepwell.server.retention.records import of_rows
from stepwell.server.settings import Settings


def _answered(before: datetime) -> ColumnElement[bool]:
    return answers.c.created_at < before


def _ended(before: datetime) -> ColumnElement[bool]:
    return (sessions.c.expires_at < before) | (sessions.c.revoked_at < before)


def _lapsed(before: datetime) -> ColumnElement[bool]:
    return one_time_links.c.expires_at < before


def _quiet(before: datetime) -> ColumnElement[bool]:
    return login_throttles.c.changed_at < before


def _a_day(_: Settings) -> int:
    return 1


def _access(settings: Settings) -> int:
    return settings.keep_access_days


KINDS: Final = (
    of_rows("answers", "What was answered under an idempotency key.", _a_day, answers, _answered),
    of_rows("sessions", "Sessions of browsers that are over.", _access, sessions, _ended),
    of_rows("links", "One-time links that are over.", _access, one_time_links, _lapsed),
    of_rows(
        "login-throttles",
        "How often logins were tried; forgotten it is as if nobody had.",
        _a_day,
        login_throttles,
        _quiet,
    ),
)
