"""What `stepwell doctor` makes of what a store tells: findings. Pure; the facts are given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from stepwell.cli.parameters import did_you_mean
from stepwell.cli.render import seconds
from stepwell.errors import SchemaMissing, SchemaTooNew, StepwellError
from stepwell.stores.inspecting import Finding, Inspection, Line, Overview, Parked, Severity
from stepwell.stores.protocol import EngineInfo

CHECKS: Final = {
    "connection": "the store can be reached and opened",
    "schema": "its tables are those of this version",
    "clock": "its clock agrees with this machine's",
    "engines": "the engines that are listed beat, and are of one version",
    "due": "steps that are due are claimed",
    "names": "each name that waits is handled by an engine",
    "suspects": "no step has killed the engines that ran it",
    "pauses": "nothing is paused",
    "server-version": "PostgreSQL is new enough",
    "partitions": "PostgreSQL has the partitions that are needed by tomorrow",
    "vacuum": "PostgreSQL's vacuum is on, and keeps up",
    "long-transaction": "no transaction holds PostgreSQL's vacuum back",
    "journal": "SQLite has a write-ahead log, of a fit size",
    "disk": "SQLite's disk has room",
    "containers": "the container engine answers, if the settings name one",
}
"""Each thing that is looked at, by the name that a finding carries."""

OF_SERVERS: Final = "server"
"""The queue of what servers do themselves."""
NOBODY: Final = timedelta(minutes=1)
"""So long due, and no engine of the queue alive: nobody will claim it."""
BEHIND: Final = timedelta(minutes=5)
"""So long due, though engines are alive: they do not keep up."""
OFFSET: Final = timedelta(seconds=1)
FAR_OFFSET: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was seen of a store.

    Parameters
    ----------
    overview, first : of one moment.
    second : some seconds later, so that beats can be compared; None if nobody is listed.
    offset : the store's time less this machine's, as far as it is certain.
    """

    overview: Overview
    first: Inspection
    second: Inspection | None
    offset: timedelta

    @property
    def silent(self) -> tuple[EngineInfo, ...]:
        """Listed, but the beat did not rise."""
        if self.second is None:
            return ()
        return silent(self.first, self.second)

    @property
    def alive(self) -> tuple[EngineInfo, ...]:
        """Those whose beat rose, or who have just come."""
        dead = {engine.id for engine in self.silent}
        return tuple(one for one in (self.second or self.first).engines if one.id not in dead)


def silent(first: Inspection, second: Inspection) -> tuple[EngineInfo, ...]:
    """Whose beat did not rise from one look to the other."""
    before = {engine.id: engine.beat for engine in first.engines}
    return tuple(one for one in second.engines if before.get(one.id) == one.beat)


def findings_of(facts: Facts) -> list[Finding]:
    """Everything that is not as it should be, the worst first."""
    found = [
        *facts.first.findings,
        *_clock(facts.offset),
        *_engines(facts),
        *_due(facts),
        *_names(facts),
        *_suspects(facts.first.suspects),
        *_pauses(facts.first.pauses),
    ]
    return sorted(found, key=lambda one: -one.severity)


def offset_of(store: datetime, asked: datetime, answered: datetime) -> timedelta:
    """By how much the store's clock surely differs from this machine's.

    None at all if it told a time between question and answer, however long that took.
    """
    return max(store - answered, timedelta(0)) or min(store - asked, timedelta(0))


def unopened(error: StepwellError) -> Finding:
    """The finding of a store that cannot be opened."""
    check = "schema" if isinstance(error, (SchemaMissing, SchemaTooNew)) else "connection"
    return Finding(check, Severity.PROBLEM, error.what, error.why, error.fix)


def _clock(offset: timedelta) -> Iterator[Finding]:
    if abs(offset) > OFFSET:
        ahead = "ahead of" if offset > timedelta(0) else "behind"
        yield Finding(
            "clock",
            Severity.WARNING if abs(offset) > FAR_OFFSET else Severity.NOTE,
            f"The store's clock is {seconds(abs(offset).total_seconds())} {ahead} this machine's.",
            "Engines judge by the store's clock (R17), so nothing runs at a wrong time, but times "
            "that your program makes itself are off by so much.",
            "Let both machines keep their time by NTP.",
        )


def _engines(facts: Facts) -> Iterator[Finding]:
    for engine in facts.silent:
        yield Finding(
            "engines",
            Severity.WARNING,
            f"The engine {engine.name} ({engine.id}) does not beat.",
            "Its process is dead or paused. A live engine gives its steps back within 10 s; "
            "while there is none, they wait."
            if not facts.alive
            else "Its process is dead or paused; the live engines give its steps back within 10 s.",
            "Start it again." if not facts.alive else "Look again in 10 s.",
        )
    versions = sorted({engine.version for engine in facts.alive})
    if len(versions) > 1:
        yield Finding(
            "engines",
            Severity.NOTE,
            f"Engines of several versions of Stepwell are alive: {', '.join(versions)}.",
            "That is as it should be while a new version is rolled out.",
        )


def _due(facts: Facts) -> Iterator[Finding]:
    served = {queue for engine in facts.alive for queue in engine.queues}
    now = facts.first.now
    for line in facts.overview.lines:
        late = _late(line, now)
        if line.state != "due" or late is None or line.queue in facts.first.pauses:
            continue
        if line.queue not in served and late > NOBODY:
            yield _nobody(line, late, sorted(served))
        elif line.queue in served and late > BEHIND:
            yield _behind(line, late)
    if not facts.alive:
        yield from _unserved([line for line in facts.overview.lines if line.state == "due"], now)


def _unserved(due: list[Line], now: datetime) -> Iterator[Finding]:
    """No engine is alive, and that is no problem, or not yet."""
    late = [lateness for line in due if (lateness := _late(line, now)) is not None]
    if not due:
        said = "No engine is alive.", "Nothing is due, so nothing waits for one."
    elif max(late, default=timedelta(0)) <= NOBODY:
        count = sum(line.count for line in due)
        said = (
            f"No engine is alive, and {_steps(count)} {_is(count)} due.",
            "For less than a minute: that may be a restart.",
        )
    else:
        return
    fix = "Start one: stepwell work MODULE:NAME --store URL"
    yield Finding("due", Severity.NOTE, *said, fix)


def _late(line: Line, now: datetime) -> timedelta | None:
    return None if line.oldest is None else now - line.oldest


def _nobody(line: Line, late: timedelta, served: list[str]) -> Finding:
    queues = f"Live engines serve: {', '.join(served)}." if served else "No engine is alive."
    return Finding(
        "due",
        Severity.PROBLEM,
        f"{_steps(line.count)} of the queue {line.queue!r} {_is(line.count)} due, for up to "
        f"{seconds(late.total_seconds())}, and no live engine serves that queue.",
        f"{queues} {did_you_mean(line.queue, served) if served else ''}".strip(),
        "Start the server, `stepwell serve`, or another worker, `stepwell work`."
        if line.queue == OF_SERVERS
        else f"Start one: stepwell work MODULE:NAME --store URL --queues {line.queue}",
    )


def _behind(line: Line, late: timedelta) -> Finding:
    return Finding(
        "due",
        Severity.WARNING,
        f"The queue {line.queue!r} is behind: {_steps(line.count)} {_is(line.count)} due, the "
        f"oldest for {seconds(late.total_seconds())}.",
        "Its engines are alive, but steps come faster than they run.",
        "Watch it with `stepwell steps watch`; add processes or workers.",
    )


def _names(facts: Facts) -> Iterator[Finding]:
    for parked in facts.first.parked:
        handlers = {
            name
            for engine in facts.alive
            if parked.queue in engine.queues
            for name in engine.handles
        }
        if parked.name not in handlers:
            yield _unhandled(parked, handlers, facts.first.now)


def _unhandled(parked: Parked, handlers: set[str], now: datetime) -> Finding:
    waited = seconds(max((now - parked.oldest).total_seconds(), 0.0))
    near = did_you_mean(parked.name, handlers)
    return Finding(
        "names",
        Severity.WARNING,
        f"No live engine of the queue {parked.queue!r} handles the name {parked.name!r}: "
        f"{_steps(parked.count)} {_wait(parked.count)}, the oldest for {waited}.",
        f"They wait for an engine that does (R19). {near}".strip(),
        "Start an engine with a handler of that name, or end them: "
        f"stepwell steps list --name {parked.name}",
    )


def _suspects(found: tuple[UUID, ...]) -> Iterator[Finding]:
    if found:
        yield Finding(
            "suspects",
            Severity.WARNING,
            f"{_steps(len(found))} {_wait(len(found))} to be run alone: "
            f"{', '.join(map(str, found[:3]))}{' ...' if len(found) > 3 else ''}",
            "Two engines or more died while running them; at five they fail (R15).",
            "Look at what the handler does to its process: memory, os._exit, a crash in C code.",
        )


def _pauses(keys: tuple[str, ...]) -> Iterator[Finding]:
    if keys:
        yield Finding(
            "pauses",
            Severity.NOTE,
            f"Paused: {', '.join(keys)}.",
            "Steps of a paused queue are not claimed until somebody resumes it.",
            f"stepwell queues resume {keys[0]}",
        )


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _wait(count: int) -> str:
    return "waits" if count == 1 else "wait"
