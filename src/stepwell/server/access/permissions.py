"""What each act of the API needs, told from the routes themselves, so that it cannot differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from stepwell.server.access.records import Role, User
from stepwell.server.described import PREFIX, operation_id

_READS: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Act:
    """A route that changes something, and the role that it needs."""

    name: str
    method: str
    path: str
    role: Role


class Permission(BaseModel):
    """An act, by the name of its route in openapi.json; the least role that may do it; and
    whether the caller may."""

    act: str
    method: str
    path: str
    role: Role
    allowed: bool


class Permissions(BaseModel):
    """Every act, by name."""

    items: list[Permission]


def acts_of(routers: Iterable[APIRouter]) -> list[Act]:
    """Every route of these that changes something and asks for a role, by name."""
    return sorted(_acts(routers), key=lambda act: act.name)


def told(acts: Iterable[Act], user: User) -> Permissions:
    """Each act, and whether this user may do it; a token may be kept from more by its groups."""
    return Permissions(
        items=[
            Permission(
                act=act.name,
                method=act.method,
                path=act.path,
                role=act.role,
                allowed=user.role.covers(act.role) and not user.read_only,
            )
            for act in acts
        ]
    )


def _acts(routers: Iterable[APIRouter]) -> Iterator[Act]:
    routes = (route for router in routers for route in router.routes)
    for route in routes:
        role = _role(route.dependant) if isinstance(route, APIRoute) else None
        if not isinstance(route, APIRoute) or role is None:
            continue
        for method in sorted(set(route.methods or ()) - _READS):
            yield Act(operation_id(route), method, route.path.removeprefix(PREFIX), role)


def _role(dependant: Dependant) -> Role | None:
    """The role that one of its dependencies asks for."""
    for one in dependant.dependencies:
        found: Any = getattr(one.call, "role", None) or _role(one)
        if isinstance(found, Role):
            return found
    return None
