"""The query language of runs, for steps: `state:failed name:v1/shop/* failures>2 since:2h`.

The same words, read by the same parser; what a store can be asked is what they may say: all
must hold, one value each, and no word is negated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final, TypeAlias
from uuid import UUID

from stepwell.given import suggestion
from stepwell.server.search import spans
from stepwell.server.search.language import Clause, QueryInvalid, parse
from stepwell.step import EndedAs, Priority, Retention, StepStatus

Fields: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Qualifier:
    """One qualifier: what it means, how it is written, and the fields of a `StepQuery` it sets."""

    meaning: str
    example: str
    make: Callable[[Clause, datetime], Fields]
    compares: bool = False
    values: tuple[str, ...] = ()


def fields(text: str, now: datetime) -> Fields:
    """The fields of a `StepQuery` that a query sets.

    Raises
    ------
    QueryInvalid : names the column.
    """
    found: Fields = {}
    for clause in parse(text):
        made = _checked(clause).make(clause, now)
        if twice := made.keys() & found.keys():
            raise QueryInvalid(
                f"{clause.key} is said twice.",
                clause.column,
                why=f"A step has one {min(twice)}.",
                fix="Leave one of them out.",
            )
        found |= made
    return found


def _checked(clause: Clause) -> Qualifier:
    if not clause.key:
        raise QueryInvalid(
            f"Steps have no search for {clause.values[0]!r} anywhere.",
            clause.column,
            fix='Say where: name:v1/shop/*, error:"connection refused" or search:order-7.',
        )
    found = QUALIFIERS.get(clause.key)
    if found is None:
        raise QueryInvalid(
            f"There is no qualifier {clause.key!r} of steps.",
            clause.column,
            why=suggestion(clause.key, QUALIFIERS),
            fix=f"There are {', '.join(QUALIFIERS)}.",
        )
    if clause.negated or len(clause.values) > 1:
        raise QueryInvalid(
            f"{clause.key} takes one value, and cannot be negated.",
            clause.column,
            why="The tables of steps are asked for what an index finds.",
            fix=f"Write it as {found.example}.",
        )
    if clause.operator != ":" and not found.compares:
        raise QueryInvalid(
            f"{clause.key} cannot be compared with {clause.operator}.",
            clause.column,
            fix=f"Write it as {found.example}.",
        )
    return found


def _text(field: str) -> Callable[[Clause, datetime], Fields]:
    return lambda clause, _: {field: clause.values[0]}


def _begins(field: str) -> Callable[[Clause, datetime], Fields]:
    """Exactly so, or with a * at the end all that begins so."""

    def make(clause: Clause, _: datetime) -> Fields:
        begun, star, rest = clause.values[0].partition("*")
        if rest:
            raise QueryInvalid(
                f"{clause.key} takes a * at its end only.",
                clause.column,
                fix=f"Write {clause.key}:{begun}*.",
            )
        return {f"{field}_prefix": begun} if star else {field: begun}

    return make


def _id(field: str) -> Callable[[Clause, datetime], Fields]:
    def make(clause: Clause, _: datetime) -> Fields:
        try:
            found = UUID(clause.values[0])
        except ValueError as error:
            raise QueryInvalid(
                f"{clause.values[0]!r} is no id.", clause.column, fix="Give all of it."
            ) from error
        return {field: (found,) if field == "ids" else found}

    return make


def _word(field: str, words: Mapping[str, object]) -> Callable[[Clause, datetime], Fields]:
    def make(clause: Clause, _: datetime) -> Fields:
        found = words.get(clause.values[0])
        if found is None:
            raise QueryInvalid(
                f"There is no {clause.key} {clause.values[0]!r}.",
                clause.column,
                fix=f"It is one of {', '.join(words)}.",
            )
        return {field: found}

    return make


def _number(field: str) -> Callable[[Clause, datetime], Fields]:
    def make(clause: Clause, _: datetime) -> Fields:
        text = clause.values[0]
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise QueryInvalid(
                f"{text!r} is no number.", clause.column, fix=f"Write {clause.key}>2."
            )
        least, most = f"{field}_from", f"{field}_to"
        number = int(text)
        match clause.operator:
            case ">" | ">=":
                return {least: number + (clause.operator == ">")}
            case "<" | "<=":
                return {most: number + (clause.operator == "<=")}
        return {least: number, most: number + 1}

    return make


def _took(clause: Clause, _: datetime) -> Fields:
    side = "to" if clause.operator.startswith("<") else "from"
    return {f"duration_{side}": spans.seconds(clause)}


def _instant(field: str) -> Callable[[Clause, datetime], Fields]:
    return lambda clause, now: {field: spans.instant(clause, now)}


def _words(of: type[Enum]) -> dict[str, Enum]:
    return {one.name.lower(): one for one in of}


def _one_of(meaning: str, example: str, field: str, of: type[Enum]) -> Qualifier:
    words = _words(of)
    return Qualifier(meaning, example, _word(field, words), values=tuple(words))


def _instants(key: str, field: str, meaning: str) -> dict[str, Qualifier]:
    """`due-since:` and `due-until:` of one instant of a step."""
    return {
        f"{key}-since": Qualifier(
            f"{meaning} at or after", f"{key}-since:2h", _instant(f"{field}_from")
        ),
        f"{key}-until": Qualifier(
            f"{meaning} before", f"{key}-until:2026-01-31", _instant(f"{field}_to")
        ),
    }


_YES_NO: Final = {"yes": True, "no": False}

QUALIFIERS: Final = {
    "state": _one_of(
        "where the step is: ready, done or failed", "state:failed", "status", StepStatus
    ),
    "claimed": Qualifier(
        "whether an engine has it now",
        "claimed:yes",
        _word("claimed", _YES_NO),
        values=tuple(_YES_NO),
    ),
    "ended": _one_of("how it ended", "ended:cancelled", "ended_as", EndedAs),
    "name": Qualifier("its name; * at the end", "name:v1/shop/*", _begins("name")),
    "queue": Qualifier("its queue", "queue:mail", _text("queue")),
    "priority": _one_of("its band", "priority:high", "priority", Priority),
    "key": Qualifier("its unique key", "key:order-7", _text("unique_key")),
    "search": Qualifier("its search key; * at the end", "search:order-*", _begins("search_key")),
    "correlation": Qualifier(
        "its correlation id; * at the end", "correlation:req-*", _begins("correlation_id")
    ),
    "limit": Qualifier("its limit key", "limit:smtp", _text("limit_key")),
    "rate": Qualifier("its rate key", "rate:api", _text("rate_key")),
    "error": Qualifier(
        "text in its description", 'error:"connection refused"', _text("description_contains")
    ),
    "input": Qualifier("text in its state", "input:acme", _text("state_contains")),
    "args": Qualifier(
        "text in what it was activated with", "args:yes", _text("activation_args_contains")
    ),
    "result": Qualifier("text in its result", "result:acme", _text("result_contains")),
    "cause": Qualifier(
        "the fingerprint of its failure", "cause:5f0c6e12ab34cd56", _text("fingerprint")
    ),
    "by": Qualifier("the engine that executed it", "by:worker-3", _text("executed_by")),
    "id": Qualifier("its id", "id:0198f2aa-…", _id("ids")),
    "flow": Qualifier("its flow; a run's id is one", "flow:0198f2aa-…", _id("flow_id")),
    "spawned": Qualifier(
        "the id of the step that added it", "spawned:0198f2aa-…", _id("created_by_step_id")
    ),
    "copy": Qualifier("the id of the step that it is a copy of", "copy:0198f2aa-…", _id("copy_of")),
    "join": Qualifier("the id of the join that it counts for", "join:0198f2aa-…", _id("join_id")),
    "format": Qualifier("what its state is written in", "format:json", _text("state_format")),
    "retention": _one_of("how long it is kept", "retention:long", "retention", Retention),
    "took": Qualifier("how long it was executed", "took>5m", _took, compares=True),
    "executions": Qualifier(
        "how often it was executed", "executions>1", _number("execution_count"), compares=True
    ),
    "failures": Qualifier(
        "failures in a row", "failures>2", _number("failure_count"), compares=True
    ),
    "lost": Qualifier("engines lost with it", "lost>0", _number("lost_count"), compares=True),
    "since": Qualifier(
        "created at or after: an age or an instant", "since:2h", _instant("created_from")
    ),
    "until": Qualifier(
        "created before: an age or an instant", "until:2026-01-31", _instant("created_to")
    ),
    **_instants("due", "scheduled", "due"),
    **_instants("started", "started", "its last execution began"),
    **_instants("ended", "ended", "it ended"),
}
"""Every qualifier of steps, by its name."""
