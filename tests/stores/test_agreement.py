"""The SQLite store does what the memory store does: the same rows after any verbs in any order.

Both are told the same, at the same virtual instants, so every answer and every
column must be equal. A failure names its seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import pytest

from stepwell.errors import StepwellError
from stepwell.outcome import Settlement
from stepwell.retention import Expiry, Retention
from stepwell.step import (
    Addition,
    Claim,
    EndedAs,
    JoinPolicy,
    OnConflict,
    Priority,
    Step,
    StepQuery,
    StepStatus,
)
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import ClaimRequest, EngineInfo, Store, Transaction
from stepwell.stores.sqlite import SQLiteStore
from stepwell.testing.clock import VirtualClock

NAMES = ("a", "b", "c")
QUEUES = ("default", "mail")
Verb: TypeAlias = Callable[[Transaction], Any]


class Script:
    """Random verbs that make sense: they speak of steps and claims that were seen."""

    def __init__(self, seed: int, clock: VirtualClock) -> None:
        self.draw, self.clock = random.Random(seed), clock
        self.steps: list[UUID] = []
        self.engines: list[UUID] = []
        self.claims: list[tuple[UUID, Claim]] = []
        self.flows = [self.new_id() for _ in range(3)]
        self.members: list[Step] = []

    def verbs(self, count: int) -> Iterator[Verb]:
        yield self.join()
        choices = [self.join, self.beat, self.bury, self.leave, self.release, self.end]
        choices += [self.add, self.add, self.claim, self.claim, self.claim, self.settle]
        choices += [self.settle, self.settle, self.activate, self.reschedule, self.add_if_none]
        choices += [self.search, self.sweep, self.join, self.end, self.fan, self.fan, self.copy]
        for _ in range(count):
            self.clock.advance(self.draw.choice([0, 1, 30]))
            yield self.draw.choice(choices)()

    def new_id(self) -> UUID:
        """Drawn too, so that a seed is always the same script."""
        return UUID(int=self.draw.getrandbits(128))

    def join(self) -> Verb:
        info = EngineInfo(id=self.new_id(), name="e", version="1", handles=NAMES, queues=QUEUES)
        self.engines.append(info.id)
        return lambda tx: tx.join(info)

    def beat(self) -> Verb:
        engine, claims = self.engine(), self.some_claims()
        return lambda tx: tx.beat(engine, claims)

    def bury(self) -> Verb:
        engine, beat = self.engine(), self.draw.choice([0, 0, 0, 1])
        return lambda tx: _sorted_failures(tx.bury(engine, beat))

    def leave(self) -> Verb:
        engine = self.engine()
        return lambda tx: tx.leave(engine)

    def release(self) -> Verb:
        engine, claims = self.engine(), self.some_claims()
        return lambda tx: tx.release(engine, claims)

    def add(self) -> Verb:
        additions = [self.addition() for _ in range(self.draw.randint(1, 6))]
        return lambda tx: tx.add(additions)

    def fan(self) -> Verb:
        """A join with its members, now and then within another; some of them known already."""
        joins = [step.join_id for step in self.members[-6:]]
        join = replace(
            self.plain(),
            waiting_for=(count := self.draw.choice([1, 1, 2, 3])),
            join_policy=self.draw.choice(list(JoinPolicy)),
            join_id=self.draw.choice([None, None, *joins]),
        )
        members = [replace(self.plain(), join_id=join.id) for _ in range(count)]
        self.members += members
        return lambda tx: tx.add([Addition(step) for step in (*members, join)])

    def copy(self) -> Verb:
        source = self.draw.choice(self.members[-12:] or [self.plain()])
        copy = replace(self.plain(), copy_of=source.id, join_id=source.join_id)
        self.members.append(copy)
        return lambda tx: tx.add([Addition(copy)])

    def plain(self) -> Step:
        return replace(self.addition().step, unique_key=None)

    def add_if_none(self) -> Verb:
        addition, query = self.addition(), self.query()
        return lambda tx: tx.add_if_none(addition, query)

    def claim(self) -> Verb:
        request = ClaimRequest(
            engine_id=self.engine(),
            request_id=self.new_id(),
            names=tuple(self.draw.sample(NAMES, 2)),
            queues=tuple(self.draw.sample(QUEUES, self.draw.randint(1, 2))),
            limit=self.draw.randint(1, 8),
            flow_id=self.draw.choice([None, None, *self.flows]),
            alone=self.draw.random() < 0.2,
            skew=tuple(self.draw.random() for _ in range(4)),  # type: ignore[arg-type]
        )

        def act(tx: Transaction) -> Any:
            claimed = tx.claim(request)
            found = [(request.engine_id, step.claim) for step in claimed.steps]
            self.claims += [one for one in found if one not in self.claims]
            return claimed

        return act

    def settle(self) -> Verb:
        engine = self.engine()
        mine = [claim for holder, claim in self.claims[-30:] if holder == engine]
        some = self.draw.sample(mine, min(len(mine), self.draw.randint(1, 5)))
        settlements = [self.settlement(claim) for claim in some + self.some_claims()[:1]]
        return lambda tx: tx.settle(engine, settlements)

    def activate(self) -> Verb:
        step, args = self.step(), self.draw.choice([None, "1", "2"])
        at = self.draw.choice([None, self.time()])
        return lambda tx: tx.activate(step, args, at)

    def end(self) -> Verb:
        step, how, result = self.step(), self.draw.choice(list(EndedAs)), self.draw_text()
        return lambda tx: tx.end(step, how, "by hand", result)

    def reschedule(self) -> Verb:
        step, at = self.step(), self.time()
        return lambda tx: tx.reschedule(step, at)

    def search(self) -> Verb:
        query = self.query()
        few = self.draw.choice([None, 1, 3])
        return lambda tx: (tx.search(query), tx.count(query, few), tx.failures(query))

    def sweep(self) -> Verb:
        before = self.clock.now() - timedelta(seconds=self.draw.choice([0, 60, 300]))
        expiry = Expiry(
            self.draw.choice([StepStatus.DONE, StepStatus.FAILED]), Retention(1), before
        )
        return lambda tx: tx.sweep([expiry], 1000)

    def query(self) -> StepQuery:
        fields: dict[str, list[Any]] = {
            "status": list(StepStatus),
            "name": list(NAMES),
            "name_prefix": ["", "a", "ab"],
            "queue": list(QUEUES),
            "priority": list(Priority),
            "unique_key": ["", "k"],
            "flow_id": self.flows,
            "search_key_prefix": ["", "s", "t"],
            "description_contains": ["hand", "HAND", "engine", ""],
            "ended_as": list(EndedAs),
            "join_id": [step.join_id for step in self.members[-6:]] or [None],
            "claimed": [True, False],
            "created_from": [self.time()],
            "scheduled_to": [self.time()],
            "ended_from": [self.time()],
            "oldest_first": [True, False],
            "after": [self.step()],
            "limit": [1, 3, 100],
        }
        chosen = self.draw.sample(list(fields), self.draw.randint(0, 3))
        return StepQuery(**{name: self.draw.choice(fields[name]) for name in chosen})

    def addition(self) -> Addition:
        step = Step(
            id=self.draw.choice([self.new_id()] * 9 + [self.step()]),
            name=self.draw.choice(NAMES),
            flow_id=self.draw.choice(self.flows),
            created_at=self.clock.now(),
            schedule_time=self.time(),
            queue=self.draw.choice(QUEUES),
            priority=self.draw.choice(list(Priority)),
            unique_key=self.draw.choice([None, None, None, "", "k"]),
            search_key=self.draw.choice([None, "s1", "s2"]),
            state=self.draw_text(),
        )
        self.steps.append(step.id)
        choices = [OnConflict.IGNORE, OnConflict.IGNORE, OnConflict.REPLACE, OnConflict.ERROR]
        return Addition(step, self.draw.choice(choices))

    def settlement(self, claim: Claim) -> Settlement:
        return Settlement(
            claim=claim,
            ended_as=self.draw.choice([None, None, *EndedAs]),
            description=self.draw_text(),
            activation_seen=self.draw.randint(0, 2),
            failure_count=self.draw.randint(0, 2),
            execution_started_at=self.clock.now(),
            execution_duration=self.draw.random(),
            executed_by="host:1",
            schedule_time=self.draw.choice([None, self.time()]),
            keep_state=self.draw.random() < 0.5,
            state=self.draw_text(),
            keep_activation=self.draw.random() < 0.5,
            result=self.draw_text(),
            fingerprint=self.draw.choice([None, "f"]),
            passes_join=self.draw.random() < 0.2,
            additions=tuple(self.addition() for _ in range(self.draw.choice([0, 0, 1, 2]))),
        )

    def engine(self) -> UUID:
        return self.draw.choice(self.engines[-4:])

    def step(self) -> UUID:
        return self.draw.choice([*self.steps[-20:], self.new_id()])

    def some_claims(self) -> list[Claim]:
        recent = [claim for _, claim in self.claims[-12:]]
        return self.draw.sample(recent, min(len(recent), 3))

    def time(self) -> datetime:
        return self.clock.now() + timedelta(seconds=self.draw.choice([-60, -1, 0, 10, 600]))

    def draw_text(self) -> str | None:
        return self.draw.choice([None, "null", '{"x":1}'])


def _sorted_failures(burial: Any) -> Any:
    return burial and replace(burial, failed=tuple(sorted(burial.failed)))


def answer(store: Store, verb: Verb) -> Any:
    """What a verb gives, or how it fails."""
    try:
        with store.transaction() as tx:
            given = verb(tx)
    except StepwellError as error:
        return error.code
    return sorted(given, key=str) if isinstance(given, list) and _claims(given) else given


def _claims(given: list[Any]) -> bool:
    return bool(given) and isinstance(given[0], Claim)


def rows(store: Store) -> list[Step]:
    with store.transaction() as tx:
        return tx.search(StepQuery(limit=10_000))


@pytest.mark.parametrize("seed", range(25))
def test_both_stores_agree_after_every_verb(tmp_path: Path, seed: int) -> None:
    clock = VirtualClock()
    memory, sqlite = MemoryStore(clock), SQLiteStore(tmp_path / "steps.db", clock)
    sqlite.migrate()
    script, ended = Script(seed, clock), set[EndedAs | None]()
    with closing(sqlite):
        for verb in script.verbs(120):
            expected = answer(memory, verb)
            assert answer(sqlite, verb) == expected
            found = rows(memory)
            assert rows(sqlite) == found
            ended |= {step.ended_as for step in found}
    assert len(ended) > 1, "the script has done too little to show anything"
