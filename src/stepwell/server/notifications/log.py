"""What has happened and what was sent of it, to be looked at; and a test message."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import NotFound
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import deliveries, notification_targets, occasions
from stepwell.server.notifications import queries, telling
from stepwell.server.notifications.records import (
    Delivery,
    DeliveryState,
    Happened,
    Kind,
    Message,
)
from stepwell.server.notifications.subscribing import found_target
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.services import Services


class DeliveryNotFound(NotFound):
    """No delivery has this id."""

    code = "notification-delivery-not-found"


def send_test(
    conn: Connection, services: Services, name: str, reason: str | None, *, by: str
) -> Delivery:
    """Send a test message to a target, on the way of all others; raises `TargetNotFound`."""
    target = found_target(conn, name)
    sentence = f"This is a test of the target {name}, asked for by {by}."
    message = Message(kind="test", sentence=sentence, at=clock.now(), link=services.settings.url)
    made = telling.send(conn, services, target["id"], message, None)
    audit.record(conn, by, "notification-target.test", name, reason)
    return delivery(conn, made)


def delivery(conn: Connection, delivery_id: UUID) -> Delivery:
    """One delivery; raises `DeliveryNotFound`."""
    row = queries.delivery(conn, delivery_id)
    if row is None:
        raise DeliveryNotFound(
            f"There is no delivery {delivery_id}.",
            fix="See `stepwell notifications deliveries`.",
        )
    return _delivery(row)


def listed(
    conn: Connection,
    pages: Paging,
    *,
    target: str | None = None,
    state: DeliveryState | None = None,
) -> Page[Delivery]:
    """Deliveries, newest first."""
    query = queries.all_deliveries()
    query = query if target is None else query.where(notification_targets.c.name == target)
    query = query if state is None else query.where(deliveries.c.state == state)
    by = [deliveries.c.created_at, deliveries.c.id]
    return paged(conn, query, pages, by=by, make=_delivery)


def happened(
    conn: Connection, pages: Paging, *, kind: Kind | None = None, **equal: str | None
) -> Page[Happened]:
    """Occasions, newest first; `equal` filters by group_name, workflow or cause."""
    query = occasions.select()
    for name, value in {"kind": kind, **equal}.items():
        query = query if value is None else query.where(occasions.c[name] == value)
    return paged(conn, query, pages, by=[occasions.c.at, occasions.c.id], make=_happened)


def _happened(row: Any) -> Happened:
    return Happened(group=row["group_name"], **{k: v for k, v in row.items() if k != "group_name"})


def _delivery(row: Any) -> Delivery:
    names = [name for name in Delivery.model_fields if name in row]
    said = Message.model_validate(row["message"])
    shown = {name: row[name] for name in names}
    return Delivery(**shown, kind=said.kind, sentence=said.headline)
