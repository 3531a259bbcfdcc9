"""What each clause of a query means for the rows of `runs`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Text,
    and_,
    cast,
    column,
    extract,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    table,
)

from stepwell.server.database.tables import (
    Instant,
    attempts,
    releases,
    run_labels,
    runs,
    schedules,
)
from stepwell.server.search import qualifiers, spans
from stepwell.server.search.language import Clause, QueryInvalid, parse

Condition: TypeAlias = ColumnElement[bool]

_READY: Final = table(
    "stepwell_ready", column("flow_id"), column("queue", Text), column("name", Text)
)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, when, and on which connection: what a meaning depends on."""

    conn: Connection
    name: str
    now: datetime

    @property
    def sqlite(self) -> bool:
        """Whether the database is SQLite, which has functions of its own for JSON and time."""
        return self.conn.dialect.name == "sqlite"


@dataclass(frozen=True, slots=True)
class Meaning:
    """A clause as SQL.

    Parameters
    ----------
    condition : all that it says.
    equal : column and values where an index can find the rows; then `rest` is what
        remains to be looked at in them.
    """

    clause: Clause
    condition: Condition
    equal: tuple[str, tuple[Any, ...]] | None = None
    rest: Condition | None = None


def meanings(asker: Asker, query: str) -> list[Meaning]:
    """The meaning of every clause; raises `QueryInvalid`."""
    return [_meaning(asker, clause) for clause in parse(query)]


def _meaning(asker: Asker, clause: Clause) -> Meaning:
    found = qualifiers.check(clause)
    if found is None:
        return _signed(clause, _any(clause.values, lambda text: _anywhere(asker, text)))
    make = _MAKERS[found.name]
    made = make(asker, clause)
    if isinstance(made, Meaning):
        return made if not clause.negated else _signed(clause, made.condition)
    return _signed(clause, made)


def _signed(clause: Clause, condition: Condition) -> Meaning:
    if not clause.negated:
        return Meaning(clause, condition)
    return Meaning(clause, not_(func.coalesce(condition, false())))


def _any(values: Iterable[str], make: Callable[[str], Condition]) -> Condition:
    return or_(*(make(value) for value in values))


def _like(of: ColumnElement[Any], text: str, *, inside: bool = False) -> Condition:
    """Whether a text is, or holds, another one, in which * stands for anything."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
    return of.ilike(f"%{escaped}%" if inside else escaped, escape="\\")


def _anywhere(asker: Asker, text: str) -> Condition:
    given = json.dumps(text)[1:-1]  # as it stands in JSON
    return or_(
        _like(runs.c.workflow, text, inside=True),
        _like(runs.c.group_name, text, inside=True),
        _like(runs.c.reason, text, inside=True),
        _like(cast(runs.c.parameters, Text), given, inside=True),
        _begins(asker, text),
    )


def _begins(asker: Asker, text: str) -> Condition:
    """Whether the id begins so, written with dashes or without."""
    plain = text.lower().replace("-", "")
    if not plain or len(plain) > 32 or not all(one in "0123456789abcdef" for one in plain):
        return false()
    low, high = (UUID(plain.ljust(32, end)) for end in "0f")
    return runs.c.id.between(low, high)


def _name(column_name: str) -> Callable[[Asker, Clause], Meaning]:
    def make(asker: Asker, clause: Clause) -> Meaning:
        of = runs.c[column_name]
        values = tuple(
            asker.name if (column_name, value) == ("requested_by", "me") else value
            for value in clause.values
        )
        if any("*" in value for value in values):
            return Meaning(clause, _any(values, lambda value: _like(of, value)))
        return Meaning(clause, of.in_(values), (column_name, values))

    return make


def of_states(clause: Clause) -> Meaning:
    """A failed run that a later one has made good is superseded, and failed no more."""
    values = dict.fromkeys("failed" if value == "superseded" else value for value in clause.values)
    condition: Condition = runs.c.state.in_(list(values))
    chosen = {"failed", "superseded"} & set(clause.values)
    rest = None
    if len(chosen) == 1:
        good = runs.c.superseded_by.is_not(None)
        rest = or_(runs.c.state != "failed", good if chosen == {"superseded"} else not_(good))
    return Meaning(
        clause,
        condition if rest is None else and_(condition, rest),
        ("state", tuple(values)),
        rest,
    )


def _schedule(asker: Asker, clause: Clause) -> Meaning:
    ids = [_uuid(value) for value in clause.values]
    named = _any(clause.values, lambda value: _like(schedules.c.name, value))
    query = select(schedules.c.id).where(or_(named, schedules.c.id.in_([i for i in ids if i])))
    found = tuple(asker.conn.execute(query.limit(1000)).scalars())
    condition: Condition = runs.c.schedule_id.in_(found)
    if "none" in clause.values:
        return Meaning(clause, or_(condition, runs.c.schedule_id.is_(None)))
    return Meaning(clause, condition, ("schedule_id", found))


def _version(_: Asker, clause: Clause) -> Condition:
    numbers = [_number(clause, value) for value in clause.values]
    return runs.c.release_id.in_(select(releases.c.id).where(releases.c.number.in_(numbers)))


def _image(_: Asker, clause: Clause) -> Condition:
    def begins(value: str) -> Condition:
        digest = value if value.startswith("sha256:") else f"sha256:{value}"
        return _like(runs.c.digest, f"{digest}*")

    return _any(clause.values, begins)


def _label(_: Asker, clause: Clause) -> Condition:
    def labelled(value: str) -> Condition:
        key, equals, text = value.replace(":", "=", 1).partition("=")
        mine = select(run_labels.c.run_id).where(run_labels.c.key == key)
        mine = mine.where(_like(run_labels.c.value, text)) if equals else mine
        return runs.c.id.in_(mine.where(run_labels.c.run_id == runs.c.id))

    return _any(clause.values, labelled)


def _step(asker: Asker, clause: Clause) -> Condition:
    flow = _READY.c.flow_id
    here = func.replace(flow, "-", "") if asker.sqlite else flow
    at = _any(clause.values, lambda value: _like(_READY.c.name, f"v1/*/{value}"))
    failed = _any(clause.values, lambda value: _like(runs.c.failed_operation, value))
    return or_(failed, runs.c.id.in_(select(here).where(_READY.c.queue == "runs", at)))


def _error(_: Asker, clause: Clause) -> Condition:
    return _any(clause.values, lambda value: _like(runs.c.reason, value, inside=True))


def _node(asker: Asker, clause: Clause) -> Condition:
    named = _any(clause.values, lambda value: _json(asker, attempts.c.handle, ["node"], value))
    return runs.c.id.in_(select(attempts.c.run_id).where(attempts.c.run_id == runs.c.id, named))


def _input(asker: Asker, clause: Clause) -> Condition:
    path = clause.key.split(".")[1:]
    if not all(path):
        raise QueryInvalid(
            f"{clause.key} names no parameter.", clause.column, fix="Write input.NAME:VALUE."
        )
    return _any(clause.values, lambda value: _json(asker, runs.c.parameters, path, value))


def _json(asker: Asker, of: ColumnElement[Any], path: list[str], value: str) -> Condition:
    """Whether the member of a JSON document is this string, number or word."""
    member = of
    if asker.sqlite:
        member = of.op("->")("$" + "".join(f'."{one}"' for one in path))
    else:
        for one in path:
            member = member.op("->")(cast(literal(one, Text), Text))
    text = cast(member, Text)
    if "*" in value:
        return or_(_like(text, value), _like(text, f'"{json.dumps(value)[1:-1]}"'))
    return text.in_([value, json.dumps(value), json.dumps(value, ensure_ascii=False)])


def _took(asker: Asker, clause: Clause) -> Condition:
    now = literal(asker.now, Instant())
    end = func.coalesce(runs.c.finished_at, now)
    if asker.sqlite:
        days = func.julianday(end, type_=Float) - func.julianday(runs.c.started_at, type_=Float)
        amount: ColumnElement[Any] = days * 86400.0
    else:
        amount = extract("epoch", end - runs.c.started_at)
    return _compared(amount, clause.operator, spans.seconds(clause))


def _attempt(_: Asker, clause: Clause) -> Condition:
    if clause.operator == ":":
        return runs.c.attempt.in_([_number(clause, value) for value in clause.values])
    return _compared(runs.c.attempt, clause.operator, _number(clause, ",".join(clause.values)))


def _id(asker: Asker, clause: Clause) -> Condition:
    return _any(clause.values, lambda value: _begins(asker, value))


def _since(asker: Asker, clause: Clause) -> Condition:
    return runs.c.created_at >= spans.instant(clause, asker.now)


def _until(asker: Asker, clause: Clause) -> Condition:
    return runs.c.created_at < spans.instant(clause, asker.now)


def _compared(amount: ColumnElement[Any], operator: str, value: float) -> Condition:
    match operator:
        case ">" | ":":
            return amount > value if operator == ">" else amount >= value
        case "<":
            return amount < value
        case ">=":
            return amount >= value
    return amount <= value


def _number(clause: Clause, value: str) -> int:
    if value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    raise QueryInvalid(
        f"{value!r} is no number.", clause.column, fix=f"Write {clause.key}{clause.operator}3."
    )


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


_MAKERS: Final[dict[str, Callable[[Asker, Clause], Meaning | Condition]]] = {
    "state": lambda _, clause: of_states(clause),
    "label": _label,
    "pool": _name("pool"),
    "waiting": _name("waiting_code"),
    "workflow": _name("workflow"),
    "group": _name("group_name"),
    "version": _version,
    "image": _image,
    "schedule": _schedule,
    "trigger": _name("trigger"),
    "step": _step,
    "error": _error,
    "cause": _name("fingerprint"),
    "node": _node,
    "by": _name("requested_by"),
    "id": _id,
    "attempt": _attempt,
    "took": _took,
    "since": _since,
    "until": _until,
    "input.NAME": _input,
}
