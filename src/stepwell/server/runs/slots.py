"""How many runs go on at once: of a workflow, of a group, and of a pool that workflows share.

A run holds a slot while it has a container, or is about to get one: by its state, and
by nothing else. So whatever ends a run, or sends it to sleep, has freed its slot, and no
counter can leak. Runs that found no slot are in line, by band and then by when they were
due; one that is held up by another limit is passed over, so it holds up nobody.

An operator's number goes before what the source declares. A pool that nobody has sized
lets one run go on at a time, as a limit key of the engine does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import Connection, func, select

from stepwell.server.runs import line, queries
from stepwell.server.runs.line import Row
from stepwell.server.runs.records import Waiting, WaitingCode
from stepwell.server.runs.waking import activate_supervisor
from stepwell.stores.protocol import Transaction

R = TypeVar("R", bound=Row)

_LOCK: Final = 0x57E9_5107
SHOWN: Final = 5
"""So many holders are named."""


@dataclass(frozen=True, slots=True)
class Key:
    """What slots are counted by: kind 'workflow', 'group' or 'pool', and its name."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"the {self.kind} {self.name}"


def keys_of(run: Row) -> list[Key]:
    """Everything that a run may need a slot of."""
    keys = [
        Key("group", run["group_name"]),
        Key("workflow", f"{run['group_name']}/{run['workflow']}"),
    ]
    return keys if run["pool"] is None else [*keys, Key("pool", run["pool"])]


@dataclass(frozen=True, slots=True)
class Full:
    """A key without a free slot for a run. `ahead`: runs in line before it that need it too."""

    key: Key
    slots: int
    holders: list[UUID]
    ahead: int

    def waiting(self, since: datetime) -> Waiting:
        """The same as what is shown."""
        named = ", ".join(str(one) for one in self.holders[:SHOWN])
        more = " ..." if len(self.holders) > SHOWN else ""
        held = f": {named}{more}" if named else ""
        return Waiting(
            code=WaitingCode.LIMIT,
            sentence=f"The limit of {self.key} is reached ({len(self.holders)} of {self.slots}"
            f"{held}); {self.ahead} ahead in line.",
            since=since,
            until=None,
            details={
                "kind": self.key.kind,
                "name": self.key.name,
                "slots": self.slots,
                "holders": [str(one) for one in self.holders[:SHOWN]],
                "ahead": self.ahead,
            },
        )


@dataclass(slots=True)
class Room:
    """Who holds slots, and how many there are; `admit` gives them out in thought."""

    sizes: Mapping[Key, int]
    held: Counter[Key]

    def slots(self, run: Row, key: Key) -> int | None:
        """How many slots the key has, as this run is concerned; None: it is not limited."""
        if key in self.sizes:
            return self.sizes[key]
        declared: int | None = (run["limits"] or {}).get(key.kind)
        return 1 if key.kind == "pool" and declared is None else declared

    def full(self, run: Row, alike: int = 0) -> Key | None:
        """The first key that has no slot for the run, if so many like it come before."""
        for key in keys_of(run):
            slots = self.slots(run, key)
            if slots is not None and self.held[key] + alike >= slots:
                return key
        return None

    def admit(self, run: Row) -> bool:
        """Whether the run gets its slots, if those before it in line got theirs."""
        if self.full(run) is not None:
            return False
        self.held.update(keys_of(run))
        return True

    def limits(self, run: Row) -> bool:
        """Whether anything limits the run."""
        return any(self.slots(run, key) is not None for key in keys_of(run))


def full_for(conn: Connection, run: Row) -> Full | None:
    """Why a run may not go on now; None gives it its slots, when the caller sets its state.

    The run's header is locked. Nobody else gives out slots until the transaction ends. A run
    whose container was lost holds its slots still.
    """
    if run["state"] in queries.HOLDING or not _limited(conn, run):
        return None
    _alone(conn)
    return look(conn, run)


def look(conn: Connection, run: Row) -> Full | None:
    """As `full_for`, for people to read: nothing is given out."""
    room = _room(conn)
    for other in line.in_line(conn):
        if room.full(run) or other["id"] == run["id"] or _place(run) < _place(other):
            break
        room.admit(other)
    return _told(conn, room, run, room.full(run))


def full_for_new(conn: Connection, new: Sequence[R]) -> Iterator[tuple[R, Full]]:
    """Which of these runs, just written, get no slot for certain, and why.

    As many before them in line as there are free slots need the same: those take them, or are
    held up by what holds up these too. Who is not named here has to look by itself: all of them,
    where somebody else is giving out slots just then, as whoever starts runs waits for nobody.
    """
    sizes = _sizes(conn)
    empty = Room(sizes, Counter())
    limited = [run for run in new if empty.limits(run)]
    if not limited or not _alone_at_once(conn):
        return
    room = _room(conn)
    for run in limited:
        full = _told(conn, room, run, room.full(run, line.alike_ahead(conn, run)))
        if full is not None:
            yield run, full


def wake_next(conn: Connection, tx: Transaction, freed: Row | None = None) -> None:
    """Wake whoever in line gets a slot now; after a slot was freed, or limits were changed.

    Parameters
    ----------
    freed : the run that has freed its slots; nothing is done if nothing limits it.
    """
    if freed is not None and not _limited(conn, freed):
        return
    _alone(conn)
    room, kinds = _room(conn), line.kinds_in_line(conn)
    for run in line.in_line(conn):
        if all(room.full(kind) for kind in kinds):
            return  # whoever comes after gets nothing, however long the line is
        if room.admit(run):
            activate_supervisor(tx, run["id"])


def in_use(conn: Connection) -> Counter[Key]:
    """How many slots of each key are held."""
    return _room(conn).held


def in_line(conn: Connection) -> Counter[Key]:
    """How many runs in line need a slot of each key."""
    return Counter(key for run in line.in_line(conn) for key in keys_of(run))


def _told(conn: Connection, room: Room, run: Row, key: Key | None) -> Full | None:
    if key is None:
        return None
    holders = line.holders(conn, key.kind, key.name)
    ahead = line.ahead(conn, run, key.kind, key.name)
    return Full(key, room.slots(run, key) or 0, holders, ahead)


def _limited(conn: Connection, run: Row) -> bool:
    declared = bool(run["limits"]) or run["pool"] is not None
    return declared or bool(_sizes(conn, keys_of(run)))


def _room(conn: Connection) -> Room:
    held: Counter[Key] = Counter()
    for row in line.holding(conn):
        for key in keys_of(row):
            held[key] += row["held"]
    return Room(_sizes(conn), held)


def _sizes(conn: Connection, only: Iterable[Key] | None = None) -> dict[Key, int]:
    found = {Key(row["kind"], row["name"]): row["slots"] for row in queries.limits(conn)}
    return found if only is None else {key: found[key] for key in only if key in found}


def _place(run: Row) -> tuple[Any, ...]:
    return (run["band"], run["due_at"], str(run["id"]))


def _alone(conn: Connection) -> None:
    """One at a time gives out slots; SQLite's write lock does so by itself."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _alone_at_once(conn: Connection) -> bool:
    """As `_alone`; False where it would have to wait."""
    if conn.dialect.name != "postgresql":
        return True
    return bool(conn.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one())
