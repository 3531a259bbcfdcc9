"""JSON -> schedule: what a manifest, an API request or a database row holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from stepwell.schedules.base import Schedule
from stepwell.schedules.cron import Cron
from stepwell.schedules.errors import ScheduleInvalid
from stepwell.schedules.every import Every
from stepwell.schedules.once import Once

_COMMON: Final = ("overlap", "misfire", "start", "end", "jitter", "exclude")
_INSTANTS: Final = ("start", "end", "anchor", "at")
_KINDS: Final[dict[str, tuple[type[Schedule], tuple[str, ...], str]]] = {
    "cron": (Cron, ("expression", "timezone"), "expression"),
    "interval": (Every, ("seconds", "anchor"), "seconds"),
    "once": (Once, ("at",), "at"),
}


def from_json(data: Mapping[str, Any]) -> Schedule:
    """The schedule that `Schedule.as_json` wrote, or that a person wrote by hand.

    Parameters
    ----------
    data : {"kind": "cron", "expression", "timezone"} or {"kind": "interval", "seconds",
        "anchor"} or {"kind": "once", "at"}, each with "overlap", "misfire", "start",
        "end", "jitter" and "exclude" where wanted. Instants are ISO 8601 text with an offset or Z.

    Raises
    ------
    ScheduleInvalid : an unknown kind or field, one that is missing, or of the wrong type;
        or what the kind itself refuses (CronInvalid, IntervalInvalid, TimezoneUnknown).
    """
    if not isinstance(data, Mapping):
        raise ScheduleInvalid("A schedule is a JSON object.", fix=_fix_kind())
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ScheduleInvalid(f"There is no kind of schedule {kind!r}.", fix=_fix_kind())
    cls, own, required = _KINDS[kind]
    _check_fields(kind, data, own, required)
    return cls(**{name: _value(name, data[name]) for name in data if name != "kind"})


def _fix_kind() -> str:
    return f'Give "kind" as one of: {", ".join(_KINDS)}.'


def _check_fields(kind: str, data: Mapping[str, Any], own: tuple[str, ...], required: str) -> None:
    allowed = ("kind", *own, *_COMMON)
    unknown = [name for name in data if name not in allowed]
    if unknown:
        raise ScheduleInvalid(
            f"A schedule of kind {kind!r} has no field {unknown[0]!r}.",
            fix=f"Its fields are: {', '.join(allowed)}.",
        )
    if data.get(required) is None:
        raise ScheduleInvalid(
            f"A schedule of kind {kind!r} needs the field {required!r}.",
            fix=f"Its fields are: {', '.join(allowed)}.",
        )


def _value(name: str, value: Any) -> Any:
    if name not in _INSTANTS or value is None or isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ScheduleInvalid(
            f"The schedule's {name} {value!r} is not an instant.",
            fix="Write it as ISO 8601 with an offset: 2026-12-24T17:00:00+01:00.",
        ) from error
