"""Where `stepwell queues` and `stepwell limits` read and write: a store, or a server's API."""

from __future__ import annotations

from typing import Any, Final, Protocol

from stepwell.cli.client import Client
from stepwell.cli.session import Session
from stepwell.cli.steps.reaching import store_or_server
from stepwell.engine import StepClient
from stepwell.errors import NotFound
from stepwell.stores import open_store

FIELDS: Final = ("kind", "key", "slots", "period", "reason", "changed_by", "changed_at")


class ControlBook(Protocol):
    """Pauses, limits and rates; they are JSON objects with the row's fields."""

    def pause(self, queue: str, reason: str) -> None:
        """Let no engine claim from the queue."""
        ...

    def limit(self, key: str, slots: int, reason: str | None) -> None:
        """So many steps of the key run at once."""
        ...

    def rate(self, key: str, count: int, per: float, reason: str | None) -> None:
        """So many steps of the key begin within so many seconds."""
        ...

    def drop(self, kind: str, key: str, reason: str | None = None) -> bool:
        """Forget one; False if there is none. A server's audit log keeps the reason."""
        ...

    def listed(self, *kinds: str) -> list[dict[str, Any]]:
        """Those of these kinds."""
        ...


def controls_for(session: Session, store: str | None) -> ControlBook:
    """Of the store that --store or STEPWELL_STORE names, or of the server that is known.

    Raises
    ------
    InvalidInput : both a store and a server are named, or no such store can be.
    NoServer : neither is.
    """
    found = store_or_server(session, store)
    if not isinstance(found, str):
        return ApiControls(found)
    client = StepClient(open_store(found))
    session.until_end(client.store.close)
    return StoreControls(client)


class StoreControls:
    """In a store that this process opens itself."""

    def __init__(self, steps: StepClient) -> None:
        self._steps = steps

    def pause(self, queue: str, reason: str) -> None:
        """Let no engine claim from the queue."""
        self._steps.pause(queue, reason)

    def limit(self, key: str, slots: int, reason: str | None) -> None:
        """So many steps of the key run at once."""
        self._steps.limit(key, slots, reason=reason)

    def rate(self, key: str, count: int, per: float, reason: str | None) -> None:
        """So many steps of the key begin within so many seconds."""
        self._steps.rate(key, count, per=per, reason=reason)

    def drop(self, kind: str, key: str, reason: str | None = None) -> bool:
        """Forget one; False if there is none."""
        steps = self._steps
        verbs = {"pause": steps.resume, "limit": steps.drop_limit, "rate": steps.drop_rate}
        return verbs[kind](key)

    def listed(self, *kinds: str) -> list[dict[str, Any]]:
        """Those of these kinds."""
        found = [one for one in self._steps.controls() if one.kind in kinds]
        return [{name: _plain(getattr(one, name)) for name in FIELDS} for one in found]


class ApiControls:
    """At a server."""

    def __init__(self, api: Client) -> None:
        self._api = api

    def pause(self, queue: str, reason: str) -> None:
        """Let no engine claim from the queue."""
        self._api.post("/controls", {"kind": "pause", "key": queue, "reason": reason})

    def limit(self, key: str, slots: int, reason: str | None) -> None:
        """So many steps of the key run at once."""
        body = {"kind": "limit", "key": key, "slots": slots, "reason": reason}
        self._api.post("/controls", body)

    def rate(self, key: str, count: int, per: float, reason: str | None) -> None:
        """So many steps of the key begin within so many seconds."""
        body = {"kind": "rate", "key": key, "slots": count, "period": per, "reason": reason}
        self._api.post("/controls", body)

    def drop(self, kind: str, key: str, reason: str | None = None) -> bool:
        """Forget one; False if there is none."""
        try:
            self._api.delete("/controls", kind=kind, key=key, reason=reason)
        except NotFound:
            return False
        return True

    def listed(self, *kinds: str) -> list[dict[str, Any]]:
        """Those of these kinds."""
        return [one for one in self._api.get("/controls")["items"] if one["kind"] in kinds]


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
