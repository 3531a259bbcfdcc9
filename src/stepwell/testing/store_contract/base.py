"""What all parts of the contract share: fixtures to provide, and ways to say things briefly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Literal, TypeAlias, TypeVar
from uuid import UUID

import pytest

from stepwell.clock import now
from stepwell.errors import StoreUnavailable
from stepwell.ids import new_id
from stepwell.outcome import Settlement, Verdict
from stepwell.step import Addition, Claim, EndedAs, OnConflict, Step, StepQuery
from stepwell.stores.inspecting import Inspectable
from stepwell.stores.protocol import Claimed, ClaimRequest, EngineInfo, Store
from stepwell.testing.store_contract.cut import cut_once

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
Where: TypeAlias = Literal["before", "after"]
Cut: TypeAlias = Callable[[Store, Where], AbstractContextManager[None]]
PATIENCE: Final = 90.0
"""Seconds after which something that should come is given up."""
_ROUNDS: Final = 500


def needs(*what: str) -> Callable[[F], F]:
    """The test applies to stores that have all of these: verbs, or words of `features`."""

    def mark(test: F) -> F:
        test.needs = frozenset(what)  # type: ignore[attr-defined] # read by `_applies`
        return test

    return mark


def ago(seconds: float) -> datetime:
    """An instant in the past, aware, in UTC."""
    return now() - timedelta(seconds=seconds)


def ahead(seconds: float = 3600.0) -> datetime:
    """An instant in the future, aware, in UTC; in an hour by default."""
    return now() + timedelta(seconds=seconds)


def together(*calls: Callable[[], T]) -> list[T | Exception]:
    """What the calls give, or raise, when each is made in a thread of its own at once."""
    answers: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(place: int, call: Callable[[], T]) -> None:
        start.wait(PATIENCE)
        try:
            answers[place] = call()
        except Exception as error:
            answers[place] = error

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "a call hangs"
    return answers


def persistent(call: Callable[[], T]) -> Callable[[], T]:
    """The call, made again where it is told that the store was not available: a database may
    take back one of two that wait for each other, and that one's caller is to try again."""

    def again() -> T:
        for _ in range(10):
            try:
                return call()
            except StoreUnavailable:
                continue
        return call()

    return again


def sql(connection: Any, statement: str) -> list[tuple[Any, ...]]:
    """The rows that a statement gives on a DB-API connection; none if it gives no result."""
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else []
    finally:
        cursor.close()


class ContractBase:
    """Fixtures and words. A subclass provides `store`, empty, and may override the rest.

    Attributes
    ----------
    lacks : verbs that the store does not have (they raise `NotSupported`), and
        'wake' if it hears of its own process's `set` alone.
    flow : the one flow that a scoped store sees; steps and claims are pinned to it.
    """

    lacks: ClassVar[frozenset[str]] = frozenset()
    flow: UUID | None = None

    @pytest.fixture
    def store(self) -> Store:
        """An open store without steps and engines."""
        raise NotImplementedError("the subclass provides the fixture `store`")

    @pytest.fixture
    def other_store(self, store: Store) -> Store:
        """A second store object on the same steps; the same one, if there can be no second."""
        return store

    @pytest.fixture
    def cut(self) -> Cut:
        """How to lose the next commit ("before"), or only its answer ("after"), in a `with` (R13).

        A subclass may cut lower, where its connection is.
        """
        return cut_once

    @pytest.fixture
    def lend(self) -> Callable[[Store], AbstractContextManager[Any]]:
        """A context of a foreign DB-API connection to the store's database, in default mode."""
        raise NotImplementedError("a store with the capability `outbox` provides `lend`")

    @pytest.fixture(autouse=True)
    def _applies(self, request: pytest.FixtureRequest) -> None:
        """Skip what the store declares that it does not have; nothing else is ever skipped."""
        needed: frozenset[str] = getattr(request.function, "needs", frozenset())
        if not needed:
            return
        missing = needed & self._missing(request.getfixturevalue("store"))
        if missing:
            pytest.skip(f"the store declares that it lacks: {', '.join(sorted(missing))}")

    def _missing(self, store: Store) -> frozenset[str]:
        can = store.capabilities
        features = {
            "transactions": can.transactions,
            "outbox": can.outbox,
            "durable": can.durable,
            "many flows": not can.scoped,
            "exactly once": can.exactly_once,
            "row locks": can.row_locks,
            "inspection": isinstance(store, Inspectable),
        }
        return self.lacks | {name for name, offered in features.items() if not offered}

    def listens(self, store: Store) -> bool:
        """Whether the wakes of the store hear of others yet: that may need a connection, whose
        beginning is news by itself."""
        return True

    # -- making things ---------------------------------------------------------

    def name(self, label: str) -> str:
        """The full step name of a label; a scoped store may need a prefix of its own."""
        return f"v1/contract/{label}"

    def make_step(self, label: str = "work", **fields: Any) -> Step:
        """A row that is due for a minute; not added yet."""
        row: dict[str, Any] = {
            "id": new_id(),
            "flow_id": self.flow or new_id(),
            "created_at": ago(60),
            "schedule_time": ago(60),
            "state": "{}",
        }
        return Step(name=self.name(label), **row | fields)

    def make_engine(self, store: Store, *labels: str) -> UUID:
        """An engine that has joined; by default it handles 'work'."""
        engine = EngineInfo(
            id=new_id(),
            name="contract",
            version="1",
            handles=self.names(labels),
            queues=("default",),
        )
        with store.transaction() as tx:
            tx.join(engine)
        return engine.id

    def names(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Full names of labels; 'work' if there are none."""
        return tuple(self.name(label) for label in labels) or (self.name("work"),)

    def request(self, engine_id: UUID, *labels: str, **fields: Any) -> ClaimRequest:
        """A claim request for labels ('work' by default), pinned to `flow` if there is one."""
        return ClaimRequest(
            engine_id=engine_id,
            request_id=new_id(),
            names=self.names(labels),
            **{"flow_id": self.flow, "limit": 100} | fields,
        )

    # -- the verbs, each in a transaction of its own ---------------------------

    def add(
        self, store: Store, *steps: Step, on_conflict: OnConflict = OnConflict.ERROR
    ) -> list[bool]:
        """Add rows."""
        return store.add([Addition(step, on_conflict) for step in steps])

    def added(self, store: Store, label: str = "work", **fields: Any) -> Step:
        """A step that has just been added."""
        step = self.make_step(label, **fields)
        assert self.add(store, step) == [True]
        return step

    def add_if_none(self, store: Store, addition: Addition, query: StepQuery) -> bool:
        """Add a row unless a step matches."""
        with store.transaction() as tx:
            return tx.add_if_none(addition, query)

    def activate(
        self, store: Store, step: Step, args: str | None, at: datetime | None = None
    ) -> bool:
        """Activate a ready row, now or at an instant."""
        with store.transaction() as tx:
            return tx.activate(step.id, args, at)

    def claim(self, store: Store, engine_id: UUID, *labels: str, **fields: Any) -> Claimed:
        """Claim once."""
        with store.transaction() as tx:
            return tx.claim(self.request(engine_id, *labels, **fields))

    def claim_one(self, store: Store, engine_id: UUID, *labels: str, **fields: Any) -> Step:
        """The one row that a claim gives."""
        (step,) = self.claim(store, engine_id, *labels, **fields).steps
        return step

    def claim_all(self, store: Store, engine_id: UUID, *labels: str, **fields: Any) -> list[Step]:
        """Claim until nothing more is due, as an engine does: foreign names take rounds (R19)."""
        steps: list[Step] = []
        for _ in range(_ROUNDS):
            claimed = self.claim(store, engine_id, *labels, **fields)
            steps.extend(claimed.steps)
            if claimed.next_due is None or claimed.next_due > ahead(1):
                return steps
        raise AssertionError("the store says for ever that something is due, and gives nothing")

    def release(self, store: Store, engine_id: UUID, *claims: Claim) -> int:
        """Give claims back."""
        with store.transaction() as tx:
            return tx.release(engine_id, claims)

    def settle(self, store: Store, engine_id: UUID, *settlements: Settlement) -> list[Verdict]:
        """Settle a batch."""
        with store.transaction() as tx:
            return tx.settle(engine_id, settlements)

    def bury(self, store: Store, engine_id: UUID) -> tuple[int, tuple[UUID, ...]]:
        """Bury an engine at the beat that it shows now: released and failed."""
        watcher = self.make_engine(store)
        with store.transaction() as tx:
            burial = tx.bury(engine_id, tx.beat(watcher, []).beats[engine_id])
            tx.leave(watcher)
        assert burial is not None
        return burial.released, burial.failed

    def find(self, store: Store, step: Step | UUID) -> Step:
        """The row as it is now."""
        step_id = step if isinstance(step, UUID) else step.id
        with store.transaction() as tx:
            (found,) = tx.search(StepQuery(ids=(step_id,)))
        return found

    def all_ids(self, store: Store, **fields: Any) -> set[UUID]:
        """The ids of all steps that match."""
        with store.transaction() as tx:
            return {step.id for step in tx.search(StepQuery(**{"limit": 1000} | fields))}

    # -- settlements -----------------------------------------------------------

    def ending(
        self,
        step: Step,
        *additions: Step | Addition,
        ended_as: EndedAs | None = EndedAs.DONE,
        **fields: Any,
    ) -> Settlement:
        """The settlement of a claimed row: done, unless it says otherwise."""
        told: dict[str, Any] = {
            "description": None,
            "activation_seen": step.activation_no,
            "failure_count": 0,
            "execution_started_at": ago(1),
            "execution_duration": 0.25,
            "executed_by": "contract",
        }
        more = tuple(Addition(one) if isinstance(one, Step) else one for one in additions)
        return Settlement(claim=step.claim, ended_as=ended_as, additions=more, **told | fields)

    def rerunning(self, step: Step, *additions: Step | Addition, **fields: Any) -> Settlement:
        """The settlement of a claimed row that stays ready."""
        return replace(self.ending(step, *additions, **fields), ended_as=None)
