"""What each act of the API needs, told from the routes themselves, so that it cannot differ."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from fastapi import APIRouter
from fastapi.params import Depends
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
        if not isinstance(route, APIRoute):
            continue
        changes = sorted(set(route.methods or ()) - _READS)
        role = _role(route.endpoint) if changes else None
        if role is not None:
            path = route.path.removeprefix(PREFIX)
            yield from (Act(operation_id(route), method, path, role) for method in changes)


@cache
def _role(function: Callable[..., Any]) -> Role | None:
    """The role that one of its dependencies asks for.

    Read from the function, not from its route, which has not read it before a request comes.
    """
    for one in inspect.signature(function, eval_str=True).parameters.values():
        for depends in (one.default, *getattr(one.annotation, "__metadata__", ())):
            if isinstance(depends, Depends) and depends.dependency is not None:
                asks = depends.dependency
                found: Any = getattr(asks, "role", None) or _role(asks)
                if isinstance(found, Role):
                    return found
    return None
