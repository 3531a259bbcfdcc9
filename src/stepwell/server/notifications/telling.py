"""Who is told of an occasion, and when: one cause is one message.

A cause is told at once when it is new to a target. What follows is counted, and told
together ("12 more of the same cause") once the time that the rule gives is over. When
the last open failure of a cause has been followed by a success, that is told once, and
the cause is new again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.notifications import queries
from stepwell.server.notifications.records import DeliveryState, Kind, Message
from stepwell.server.notifications.service import add_step
from stepwell.server.services import Services

DIGEST: Final = "v1/server/notify-again"
DELIVER: Final = "v1/server/deliver"


def tell(conn: Connection, services: Services, occasion_id: UUID) -> int:
    """Decide about one occasion; how many targets are told now."""
    row = queries.occasion(conn, occasion_id)
    if row is None:
        return 0
    muted = queries.is_muted(conn, row["cause"], clock.now())
    told = 0
    for target_id, rule in _wanted(row, queries.all_rules(conn)).items():
        hears = _recovered if row["kind"] == Kind.RECOVERY else _again
        message = None if muted else hears(conn, services, row, target_id, rule)
        if message is not None:
            send(conn, services, target_id, message, occasion_id)
            told += 1
    return told


def tell_pending(conn: Connection, services: Services, cause: str, target_id: UUID) -> bool:
    """Tell what has been counted of a cause; False where there is nothing to tell."""
    thread = queries.thread(conn, cause, target_id)
    now = clock.now()
    if thread is None or not thread["pending"] or queries.is_muted(conn, cause, now):
        return False
    row = queries.occasion(conn, thread["last_id"])
    queries.change_thread(conn, cause, target_id, told_at=now, pending=0)
    if row is None or queries.target(conn, target_id)["removed_at"] is not None:
        return False
    message = message_of(services, row, more=thread["pending"])
    send(conn, services, target_id, message, row["id"])
    return True


def send(
    conn: Connection, services: Services, target_id: UUID, message: Message, about: UUID | None
) -> UUID:
    """Enter a delivery, and the step that sends it, in the caller's transaction; its id.

    Of one target, one is sent at a time, and all of them have half of the server's workers: were
    these to wait for targets that do not answer, nobody would look after runs meanwhile.
    """
    made, now = new_id(), clock.now()
    queries.add_delivery(
        conn,
        id=made,
        target_id=target_id,
        occasion_id=about,
        message=message.model_dump(mode="json"),
        state=DeliveryState.WAITING,
        attempts=0,
        created_at=now,
        next_at=now,
    )
    ways = max(services.settings.workers // 2, 1)
    way = f"notifications/{queries.place(conn, target_id) % ways}"
    add_step(conn, services, DELIVER, {"delivery_id": str(made)}, limit_key=way)
    return made


def message_of(services: Services, row: RowMapping, more: int = 0) -> Message:
    """What is said of an occasion."""
    ids = ("kind", "sentence", "cause", "workflow", "run_id", "schedule_id", "discovery_id", "at")
    return Message(
        **{name: row[name] for name in ids},
        more=more,
        group=row["group_name"],
        link=_link(services.settings.url, row),
        details=row["details"],
    )


def matches(rule: RowMapping, row: RowMapping) -> bool:
    """Whether a rule is about an occasion; what it does not name may be anything."""
    return (
        row["kind"] in rule["kinds"]
        and rule["group_name"] in (None, row["group_name"])
        and rule["workflow"] in (None, row["workflow"])
        and rule["labels"].items() <= row["labels"].items()
    )


def _wanted(row: RowMapping, rules: Iterable[RowMapping]) -> dict[UUID, RowMapping]:
    """Target -> the rule by which it hears; of several the one that tells soonest again."""
    found: dict[UUID, RowMapping] = {}
    for rule in rules:
        known = found.get(rule["target_id"])
        if matches(rule, row) and (known is None or rule["every"] < known["every"]):
            found[rule["target_id"]] = rule
    return found


def _again(
    conn: Connection, services: Services, row: RowMapping, target_id: UUID, rule: RowMapping
) -> Message | None:
    cause, now = row["cause"], clock.now()
    thread = queries.lock_thread(conn, cause, target_id, rule["every"])
    due = _due(thread["told_at"], rule["every"])
    if due is None or due <= now:
        values = {"told_at": now, "pending": 0, "last_id": row["id"]}
        queries.change_thread(conn, cause, target_id, **values)
        return message_of(services, row, more=thread["pending"])
    if not thread["pending"]:
        state = {"cause": cause, "target_id": str(target_id)}
        add_step(conn, services, DIGEST, state, at=due)
    counted = {"pending": thread["pending"] + 1, "last_id": row["id"]}
    queries.change_thread(conn, cause, target_id, **counted)
    return None


def _recovered(
    conn: Connection, services: Services, row: RowMapping, target_id: UUID, rule: RowMapping
) -> Message | None:
    """Told where the failure was, once nothing of the cause fails any more."""
    thread = queries.thread(conn, row["cause"], target_id)
    heard = thread is not None or Kind.FAILURE not in rule["kinds"]
    if not heard or queries.still_open(conn, row["cause"]):
        return None
    queries.drop_thread(conn, row["cause"], target_id)
    return message_of(services, row)


def _due(told_at: datetime | None, every: int) -> datetime | None:
    return None if told_at is None else told_at + timedelta(seconds=every)


def _link(url: str, row: RowMapping) -> str | None:
    if row["run_id"] is not None:
        return f"{url}/runs/{row['run_id']}"
    if row["discovery_id"] is not None:
        return f"{url}/review/{row['group_name']}/{row['discovery_id']}"
    if row["schedule_id"] is not None:
        return f"{url}/schedules"
    if row["workflow"] is not None:
        return f"{url}/workflows/{quote(row['group_name'])}/{quote(row['workflow'])}"
    return None
