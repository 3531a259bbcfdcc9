"""Routes of the room: /notifications."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Page, Pages, Reason, Router, Why, reads, writes
from stepwell.server.notifications import log, subscribing
from stepwell.server.notifications.records import (
    Delivery,
    DeliveryState,
    Happened,
    Kind,
    MadeTarget,
    Mute,
    NewMute,
    NewRule,
    NewTarget,
    Rule,
    Target,
)

router = Router(prefix="/notifications", tags=["notifications"])


@router.get("/targets")
def list_targets(call: Annotated[Call, reads(Role.OPERATOR)], pages: Pages) -> Page[Target]:
    """Whom the server can tell, by name."""
    return subscribing.targets(call.conn, pages)


@router.post("/targets", status_code=201)
def add_target(
    call: Annotated[Call, writes(Role.ADMIN, secret=True)], body: NewTarget
) -> MadeTarget:
    """Add a target. The server sends to it from inside its network, so only admins may.

    The secret that webhooks are signed with is in this answer and nowhere else.
    """
    return subscribing.add_target(call.conn, call.services, body, by=call.user.name)


@router.delete("/targets/{name}")
def remove_target(
    call: Annotated[Call, writes(Role.ADMIN)], name: str, reason: Why = None
) -> Target:
    """Tell a target nothing more; its rules go with it."""
    return subscribing.remove_target(call.conn, name, reason, by=call.user.name)


@router.post("/targets/{name}/secrets", status_code=201)
def renew_secret(
    call: Annotated[Call, writes(Role.ADMIN, secret=True)], name: str, body: Reason
) -> MadeTarget:
    """Sign with another secret from now on; it is in this answer and nowhere else."""
    return subscribing.renew_secret(call.conn, call.services, name, body.reason, by=call.user.name)


@router.post("/targets/{name}/tests", status_code=201)
def send_test(call: Annotated[Call, writes(Role.OPERATOR)], name: str, body: Reason) -> Delivery:
    """Send a test message; what came of it is in its delivery."""
    return log.send_test(call.conn, call.services, name, body.reason, by=call.user.name)


@router.get("/rules")
def list_rules(call: Annotated[Call, reads(Role.VIEWER)], pages: Pages) -> Page[Rule]:
    """Who is told of what, newest first."""
    return subscribing.rules(call.conn, pages)


@router.post("/rules", status_code=201)
def add_rule(call: Annotated[Call, writes(Role.OPERATOR)], body: NewRule) -> Rule:
    """Tell a target of some kinds, of everything or of a group, a workflow or labels only."""
    return subscribing.add_rule(call.conn, body, by=call.user.name)


@router.delete("/rules/{rule_id}", status_code=204)
def remove_rule(
    call: Annotated[Call, writes(Role.OPERATOR)], rule_id: UUID, reason: Why = None
) -> None:
    """End a rule."""
    subscribing.remove_rule(call.conn, rule_id, reason, by=call.user.name)


@router.get("/mutes")
def list_mutes(call: Annotated[Call, reads(Role.VIEWER)], pages: Pages) -> Page[Mute]:
    """The causes of which nothing is said now, until when, and why."""
    return subscribing.mutes(call.conn, pages)


@router.post("/mutes", status_code=201)
def mute(call: Annotated[Call, writes(Role.OPERATOR)], body: NewMute) -> Mute:
    """Say nothing of a cause until then."""
    return subscribing.mute(call.conn, body, by=call.user.name)


@router.delete("/mutes/{cause:path}", status_code=204)
def unmute(call: Annotated[Call, writes(Role.OPERATOR)], cause: str, reason: Why = None) -> None:
    """Speak of a cause again."""
    subscribing.unmute(call.conn, cause, reason, by=call.user.name)


@router.get("/deliveries")
def list_deliveries(
    call: Annotated[Call, reads(Role.VIEWER)],
    pages: Pages,
    target: str | None = None,
    state: DeliveryState | None = None,
) -> Page[Delivery]:
    """What was sent, or could not be, newest first."""
    return log.listed(call.conn, pages, target=target, state=state)


@router.get("/deliveries/{delivery_id}")
def get_delivery(call: Annotated[Call, reads(Role.VIEWER)], delivery_id: UUID) -> Delivery:
    """One delivery, with its attempts and the last answer."""
    return log.delivery(call.conn, delivery_id)


@router.get("/occasions")
def list_occasions(
    call: Annotated[Call, reads(Role.VIEWER)],
    pages: Pages,
    kind: Kind | None = None,
    group: str | None = None,
    workflow: str | None = None,
    cause: str | None = None,
) -> Page[Happened]:
    """What has happened that somebody may want to hear of, newest first."""
    where = {"group_name": group, "workflow": workflow, "cause": cause}
    return log.happened(call.conn, pages, kind=kind, **where)
