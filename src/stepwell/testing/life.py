"""One life of a virtual engine, from its birth to its death: claim, execute, settle, one by one.

It is what a process is to a real engine. Whoever witnesses its moments may end it there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final, TypeAlias
from unittest.mock import patch
from uuid import UUID

from stepwell.codec import Codec
from stepwell.engine.committer import Answered
from stepwell.engine.execution import Execution
from stepwell.engine.held import Held, Holding
from stepwell.engine.joining import Members
from stepwell.engine.limits import both
from stepwell.engine.once import Once
from stepwell.errors import (
    AttemptRejected,
    Denied,
    EngineBuried,
    SettlementRejected,
    SetupError,
    StepwellError,
    Unavailable,
)
from stepwell.ids import new_id
from stepwell.outcome import Settlement, Verdict
from stepwell.registry import Registry
from stepwell.step import Step
from stepwell.stores.controls import ControlKind
from stepwell.stores.protocol import Claimed, ClaimRequest, EngineInfo, Exclusive, Pulse, Store
from stepwell.testing.clock import VirtualClock
from stepwell.version import VERSION

MOST_REFUSALS: Final = 2
"""The outcome, the retry and the bare failure may be refused; then nothing is left (R16)."""
_NO_FAULT_OF_DATA: Final = (Unavailable, SetupError, Denied, EngineBuried)


class Moment(StrEnum):
    """Where an engine can die: at each commit, and where its code meets a handler's."""

    CLAIMING = "before its claim was committed"
    CLAIMED = "after its claim was committed"
    STARTING = "before its handler began"
    ENDED = "after its handler, before the settlement was committed"
    SETTLED = "after its settlement was committed"
    BEFORE_EFFECT = "before an effect of its handler"
    AFTER_EFFECT = "after an effect of its handler"


Witness: TypeAlias = Callable[[Moment, Step], None]
"""Is told of each moment; raises `Killed` to end the engine there."""


class Killed(BaseException):
    """The process of the engine is no more: nothing of it happens after this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What stays the same when one engine has died and the next one takes over."""

    store: Store
    registry: Registry
    codec: Codec
    clock: VirtualClock
    name: str
    queues: tuple[str, ...]
    flow_id: UUID | None
    witness: Witness
    runner: asyncio.Runner


class Life:
    """An engine that has joined its store, and runs one step at a time in the caller's thread.

    Parameters
    ----------
    before : an engine that died; its claims are given back at once (R10, R15).
    """

    def __init__(self, setting: Setting, before: UUID | None = None) -> None:
        self._setting, self._store, self._witness = setting, setting.store, setting.witness
        self._once = Once(self._store, Held())
        self.engine_id = new_id()
        self.errors: list[BaseException] = []
        pulse = self._join()
        self.store_time = pulse.now
        if before is not None:
            self._bury(before, pulse)

    def take(self) -> Claimed:
        """Claim the step that is to run next: of those due, by priority, then time, then id."""
        claimed = self._claim_any(alone=False)
        suspect = claimed.suspect_due and not claimed.steps
        return self._claim_any(alone=True) if suspect else claimed

    def run(self, step: Step) -> Settlement | None:
        """Execute a claimed step; what was settled, or None if its claim was taken away (R12).

        Raises
        ------
        BaseException : what the handler raised to stop the program or the test.
        Unavailable, SetupError, Denied, EngineBuried : the store cannot be used now.
        """
        setting = self._setting
        execution = Execution(
            step,
            setting.registry,
            setting.codec,
            setting.clock,
            executed_by=setting.name,
            members=Members(self._store, setting.codec).of,
        )
        self._witness(Moment.STARTING, step)
        if execution.handler.exactly_once:
            return self._run_once(step, execution)
        if execution.handler.is_async:
            settlement = setting.runner.run(execution.run_async())
            return self._ended(step, execution, _in_time(execution, settlement))
        return self._ended(step, execution, _in_time(execution, execution.run()))

    def leave(self) -> None:
        """Go as an engine does that is stopped."""
        with self._store.transaction() as tx:
            tx.leave(self.engine_id)

    # -- birth -----------------------------------------------------------------

    def _join(self) -> Pulse:
        setting = self._setting
        engine = EngineInfo(
            id=self.engine_id,
            name=setting.name,
            version=VERSION,
            handles=setting.registry.names,
            queues=setting.queues,
        )
        with self._store.transaction() as tx:
            return tx.join(engine)

    def _bury(self, before: UUID, pulse: Pulse) -> None:
        with self._store.transaction() as tx:
            tx.bury(before, pulse.beats[before])

    # -- claiming --------------------------------------------------------------

    def _claim_any(self, *, alone: bool) -> Claimed:
        """An ordinary step, or else one with a limit or rate key (R20)."""
        claimed = self._claim(alone=alone)
        if claimed.steps or not claimed.limited_due:
            return claimed
        limited = self._claim(alone=alone, limited=True)
        while limited.beyond and not limited.steps:
            limited = self._claim(alone=alone, limited=True, beyond=limited.beyond)
        return both(claimed, limited)

    def _claim(self, **how: Any) -> Claimed:
        setting = self._setting
        with self._store.transaction() as tx:
            paused = {one.key for one in tx.controls() if one.kind is ControlKind.PAUSE}
            request = ClaimRequest(
                engine_id=self.engine_id,
                request_id=new_id(),
                names=setting.registry.names,
                queues=tuple(queue for queue in setting.queues if queue not in paused),
                flow_id=setting.flow_id,
                **how,
            )
            claimed = tx.claim(request)
            self._tell(Moment.CLAIMING, claimed)
        self._tell(Moment.CLAIMED, claimed)
        return claimed

    def _tell(self, moment: Moment, claimed: Claimed) -> None:
        for step in claimed.steps:
            self._witness(moment, step)

    # -- settling --------------------------------------------------------------

    def _run_once(self, step: Step, execution: Execution) -> Settlement | None:
        """In the transaction that settles it (R26)."""
        watched = partial(self._watched, self._store.exclusive, step)
        with patch.object(self._store, "exclusive", watched):
            ended = self._once.run(Holding(step, self.engine_id, since=0.0), execution)
        if ended is None:
            return None
        if isinstance(ended, Answered):
            return ended.applied
        return self._ended(step, execution, ended.settlement)

    @contextmanager
    def _watched(
        self, whole: Callable[[], AbstractContextManager[Exclusive]], step: Step
    ) -> Iterator[Exclusive]:
        with whole() as tx:
            yield tx
            self._witness(Moment.ENDED, step)
        self._witness(Moment.SETTLED, step)

    def _ended(self, step: Step, execution: Execution, settlement: Settlement) -> Settlement | None:
        if execution.error is not None:
            self._look_at(execution.error)
        self._witness(Moment.ENDED, step)
        applied = self._settle(execution, settlement)
        self._witness(Moment.SETTLED, step)
        return applied

    def _look_at(self, error: BaseException) -> None:
        """What is no exception of the handler's work stops the test, not the step."""
        if not isinstance(error, Exception | SystemExit):
            raise error
        self.errors.append(error)

    def _settle(
        self, execution: Execution, settlement: Settlement, refusals: int = 0
    ) -> Settlement | None:
        try:
            with self._store.transaction() as tx:
                (verdict,) = tx.settle(self.engine_id, [settlement])
        except _NO_FAULT_OF_DATA:
            raise
        except Exception as error:
            if refusals == MOST_REFUSALS:
                return None
            instead = _replaced(execution, error, refusals)
            return self._settle(execution, instead, refusals + 1)
        return settlement if verdict is Verdict.APPLIED else None


def _in_time(execution: Execution, settlement: Settlement) -> Settlement:
    limit = execution.handler.timeout
    return settlement if limit is None or execution.seconds <= limit else execution.timed_out()


def _replaced(execution: Execution, error: Exception, refusals: int) -> Settlement:
    if isinstance(error, AttemptRejected) and refusals == 0:
        return execution.retried(error)
    if isinstance(error, StepwellError):
        return execution.rejected(error)
    return execution.rejected(SettlementRejected("The store failed on it.", why=repr(error)))
