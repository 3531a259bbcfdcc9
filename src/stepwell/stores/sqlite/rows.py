"""Steps as rows, and back: ids and instants are text of fixed width, so both sort."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from stepwell.frozen import reader
from stepwell.ids import uuid_of
from stepwell.step import Claim, EndedAs, JoinPolicy, Priority, Retention, Step
from stepwell.stores.columns import COLUMNS
from stepwell.stores.protocol import Failures

_IDS: Final = (
    "id",
    "flow_id",
    "created_by_step_id",
    "copy_of",
    "claimed_by",
    "claim_request",
    "join_id",
)
_INSTANTS: Final = (
    "created_at",
    "schedule_time",
    "execution_started_at",
    "ended_at",
    "claimed_at",
)


_TEXTS: Final = 4096
"""How many texts of ids are known at most."""
_texts: Final[dict[int, str]] = {}
"""The texts of ids that have come or gone lately: what is claimed is settled a moment later, and
what is spawned has the ids of its parent and its flow."""


def id_of(text: str) -> UUID:
    """The id of a text that this store has written; `UUID` would examine it first."""
    number = int(text.replace("-", ""), 16)
    _keep(number, text)
    return uuid_of(number)


def _keep(number: int, text: str) -> None:
    if len(_texts) >= _TEXTS:
        _texts.clear()
    _texts[number] = text


READERS: Final[dict[str, Any]] = {
    **dict.fromkeys(_IDS, id_of),
    **dict.fromkeys(("claimed_by", "claim_request"), lru_cache(maxsize=16)(id_of)),
    **dict.fromkeys(_INSTANTS, datetime.fromisoformat),
    "priority": tuple(Priority).__getitem__,
    "retention": tuple(Retention).__getitem__,
    "ended_as": EndedAs,
    "join_policy": JoinPolicy,
    "started": bool,
    "parked": bool,
}
"""How a column that is no plain text or number is read, where it is not null."""
_step: Final = reader(Step, COLUMNS, READERS)


def instant(value: datetime) -> str:
    """`2026-11-22T06:26:40.123456Z`; of many in a row most are of the same second."""
    global _second
    second, text = _second
    since = value - second
    if since.days or since.seconds:
        second = value.astimezone(UTC).replace(microsecond=0)
        text = second.isoformat()[:_TO_SECONDS]
        _second, since = (second, text), value - second
    return f"{text}.{since.microseconds:06}Z"


_second = datetime.fromtimestamp(0, UTC), "1970-01-01T00:00:00"
_TO_SECONDS: Final = len("2026-11-22T06:26:40")


def id_text(value: UUID) -> str:
    """What `str` gives, faster."""
    number = value.int
    text = _texts.get(number)
    if text is None:
        digits = number.to_bytes(16, "big").hex()
        text = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
        _keep(number, text)
    return text


def plain(value: Any) -> Any:
    """A value as SQLite keeps it; the driver takes enums and booleans as they are."""
    if isinstance(value, UUID):
        return id_text(value)
    return instant(value) if isinstance(value, datetime) else value


def step_of(_cursor: Any, row: tuple[Any, ...]) -> Step:
    """The step of a row that begins with the step's columns; a row factory."""
    return _step(row[: len(COLUMNS)])


def failures_of(row: tuple[Any, ...]) -> Failures:
    """A group of failed steps: name, fingerprint, count, first and last end, id, description."""
    name, fingerprint, count, first, last, step_id, description = row
    ends = datetime.fromisoformat(first), datetime.fromisoformat(last)
    return Failures(name, fingerprint, count, *ends, UUID(step_id), description)


def ids_json(ids: Iterable[UUID | str]) -> str:
    """Ids as a JSON array, which is how a statement takes many."""
    return json.dumps([one if isinstance(one, str) else id_text(one) for one in ids])


def claims_json(claims: Iterable[Claim]) -> str:
    """Claims as a JSON array of pairs."""
    return json.dumps([[id_text(claim.step_id), claim.claim_no] for claim in claims])
