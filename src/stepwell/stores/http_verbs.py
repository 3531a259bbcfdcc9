"""The verbs of a container's store as requests: one each, or two in one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic import ValidationError as Misfit

from stepwell.errors import NotSupported, StoreUnavailable
from stepwell.ids import new_id
from stepwell.outcome import Settlement, Verdict
from stepwell.retention import Expiry
from stepwell.step import Addition, Claim, EndedAs, Step, StepQuery
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.loading import additions
from stepwell.stores.marked import Marked
from stepwell.stores.patience import patiently
from stepwell.stores.protocol import (
    Burial,
    Claimed,
    ClaimRequest,
    Counts,
    EngineInfo,
    Failures,
    Pulse,
    Swept,
)
from stepwell.stores.wire import Joined, Settled, signature

R = TypeVar("R")


class Verbs(Marked):
    """Each verb of `Transaction` as one POST."""

    def __init__(
        self, post: Callable[[str, Any], Any], path: str, patience: Sequence[float] = ()
    ) -> None:
        self._post, self._path, self._patience = post, path, patience

    def _call(self, verb: str, **arguments: Any) -> R:  # type: ignore[type-var] # the caller's
        wire = signature(verb)
        answer = self._post(f"{self._path}/{verb}", wire.write_arguments(arguments))
        try:
            result: R = wire.result.validate_python(answer["result"])
            return result
        except (Misfit, KeyError, TypeError) as error:
            raise StoreUnavailable(
                f"The server's answer to {verb!r} is not understood.",
                why=f"{error}.",
                fix="See whether something else than a Stepwell server answers there.",
            ) from error

    def join(self, engine: EngineInfo) -> Pulse:
        return self._first(lambda: self._call("join", engine=engine))

    def _first(self, join: Callable[[], R]) -> R:
        """A joining. The same one again changes nothing, so a lost answer does no harm."""
        patience, self._patience = self._patience, ()
        return patiently(join, patience)

    def beat(self, engine_id: UUID, started: Sequence[Claim]) -> Pulse:
        return self._call("beat", engine_id=engine_id, started=list(started))

    def bury(self, engine_id: UUID, beat: int) -> Burial | None:
        raise unsupported("buries no engine")

    def leave(self, engine_id: UUID) -> None:
        self._call("leave", engine_id=engine_id)

    def claim(self, request: ClaimRequest) -> Claimed:
        return self._call("claim", request=request)

    def claimed(self, engine_id: UUID) -> list[Claim]:
        return self._call("claimed", engine_id=engine_id)

    def release(self, engine_id: UUID, claims: Iterable[Claim]) -> int:
        return self._call("release", engine_id=engine_id, claims=list(claims))

    def settle(self, engine_id: UUID, settlements: Sequence[Settlement]) -> list[Verdict]:
        return self._call("settle", engine_id=engine_id, settlements=list(settlements))

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        # What is between may send a request twice, and the second is not the first of its rows.
        return self._call("add", additions=[replace(one, fresh=False) for one in additions])

    def load(self, template: Step, rows: Iterable[tuple[str, str]]) -> int:
        return sum(self.add(list(additions(template, rows))))

    def add_if_none(self, addition: Addition, query: StepQuery) -> bool:
        raise unsupported("has no add_if_none")

    def search(self, query: StepQuery) -> list[Step]:
        return self._call("search", query=query)

    def count(self, query: StepQuery, at_most: int | None = None) -> Counts:
        return self._call("count", query=query, at_most=at_most)

    def failures(self, query: StepQuery) -> list[Failures]:
        return self._call("failures", query=query)

    def activate(self, step_id: UUID, args: str | None, at: datetime | None) -> bool:
        return self._call("activate", step_id=step_id, args=args, at=at)

    def end(self, step_id: UUID, ended_as: EndedAs, reason: str, result: str | None = None) -> bool:
        return self._call("end", step_id=step_id, ended_as=ended_as, reason=reason, result=result)

    def reschedule(self, step_id: UUID, at: datetime) -> bool:
        return self._call("reschedule", step_id=step_id, at=at)

    def set_control(self, control: Control) -> None:
        raise unsupported("has no controls")

    def drop_control(self, kind: ControlKind, key: str) -> bool:
        raise unsupported("has no controls")

    def controls(self) -> list[Control]:
        raise unsupported("has no controls")

    def sweep(self, expiries: Sequence[Expiry], limit: int) -> Swept:
        raise unsupported("removes no ended steps")


class PairedVerbs(Verbs):
    """Each settlement brings the next claim with it, as joining brings the first.

    What a claim brought waits here until the engine claims, and is the engine's in the store
    already. So it is never handed out after the engine has asked what it holds (R13): a
    stranger's claim is given back, and must not be run as well.
    """

    def __init__(
        self, post: Callable[[str, Any], Any], path: str, patience: Sequence[float] = ()
    ) -> None:
        super().__init__(post, path, patience)
        self._turn = threading.Lock()
        self._last: ClaimRequest | None = None
        self._brought: Claimed | None = None
        self._unknown = False
        self._left: UUID | None = None

    def join(self, engine: EngineInfo) -> Pulse:
        request = ClaimRequest(
            engine_id=engine.id,
            request_id=new_id(),
            names=engine.handles,
            queues=engine.queues,
        )
        with self._turn:
            self._unknown = False
            joined = self._first(lambda: self._join_and_claim(engine, request))
            self._last, self._brought = request, joined.claimed
        return joined.pulse

    def _join_and_claim(self, engine: EngineInfo, request: ClaimRequest) -> Joined:
        try:
            joined: Joined = self._call("join_and_claim", engine=engine, request=request)
        except StoreUnavailable:  # if it was done, the next try does not bring the same step again
            self._unknown = True
            raise
        return joined

    def settle(self, engine_id: UUID, settlements: Sequence[Settlement]) -> list[Verdict]:
        with self._turn:
            request = self._next_request(engine_id)
            if request is None:
                return super().settle(engine_id, settlements)
            try:
                settled: Settled = self._call(
                    "settle_and_claim",
                    engine_id=engine_id,
                    settlements=list(settlements),
                    request=request,
                )
            except StoreUnavailable:
                self._unknown = True
                raise
            self._brought = settled.claimed
            self._left = engine_id if settled.left else None
        return settled.verdicts

    def claim(self, request: ClaimRequest) -> Claimed:
        with self._turn:
            self._last = request
            if self._unknown:
                self._unknown = False
                raise _unknown()  # the engine asks what it holds before it claims again (R13)
            claimed, self._brought = self._brought, None
            if claimed is not None and _is_for(request, claimed):
                return claimed
            if claimed is not None and claimed.steps:
                super().release(_holder(claimed), [step.claim for step in claimed.steps])
            return super().claim(request)

    def claimed(self, engine_id: UUID) -> list[Claim]:
        with self._turn:
            self._brought = None
            return super().claimed(engine_id)

    def leave(self, engine_id: UUID) -> None:
        if self._left != engine_id:
            super().leave(engine_id)

    def _next_request(self, engine_id: UUID) -> ClaimRequest | None:
        """None while there is something that the engine has not taken in yet."""
        last = self._last
        if last is None or last.engine_id != engine_id or self._unknown:
            return None
        if self._brought is not None and self._brought.steps:
            return None
        return ClaimRequest(
            engine_id=engine_id, request_id=new_id(), names=last.names, queues=last.queues
        )


def _is_for(request: ClaimRequest, claimed: Claimed) -> bool:
    """Whether the answer is one to this request too."""
    if request.alone or request.limited or request.limit < max(len(claimed.steps), 1):
        return False
    return all(step.claimed_by == request.engine_id for step in claimed.steps)


def _holder(claimed: Claimed) -> UUID:
    holder = claimed.steps[0].claimed_by
    assert holder is not None, "it was claimed"
    return holder


def _unknown() -> StoreUnavailable:
    return StoreUnavailable(
        "It is not known whether something was claimed.",
        why="The answer to a joining or a settlement, which claim as well, was lost.",
        fix="It is asked for.",
    )


def unsupported(what: str) -> NotSupported:
    """The error for what a container's store does not do."""
    return NotSupported(
        f"The store of a container {what}.",
        why="It sees one run only, through the server.",
        fix="Do that on the server's side.",
    )
