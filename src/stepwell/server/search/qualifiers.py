"""The qualifiers that a query of runs may have: name, meaning, example, what follows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stepwell.given import suggestion
from stepwell.server.search.language import Clause, QueryInvalid


@dataclass(frozen=True, slots=True)
class Qualifier:
    """One qualifier. `compares` says that `<` and `>` may follow its name."""

    name: str
    meaning: str
    example: str
    compares: bool = False
    values: tuple[str, ...] = ()


STATES: Final = (
    "waiting",
    "starting",
    "running",
    "cancelling",
    "succeeded",
    "failed",
    "cancelled",
    "superseded",
)

_ALL: Final = (
    Qualifier("state", "where the run is", "state:failed,cancelled", values=STATES),
    Qualifier("workflow", "the workflow's name; * stands for anything", "workflow:nightly-*"),
    Qualifier("group", "the workflow group's name", "group:weather"),
    Qualifier("version", "the number of the release", "version:14"),
    Qualifier("image", "the beginning of the image's digest", "image:sha256:4f2a"),
    Qualifier("schedule", "the schedule's name or id; none: by hand", "schedule:nightly"),
    Qualifier(
        "trigger",
        "what began it",
        "trigger:schedule",
        values=("schedule", "request", "repeat", "reexecution", "backfill", "trial"),
    ),
    Qualifier("step", "the operation that it failed in, or is at", "step:load"),
    Qualifier("error", "text in its reason; * stands for anything", 'error:"connection refused"'),
    Qualifier("cause", "the fingerprint of its failure", "cause:5f0c6e12ab34cd56"),
    Qualifier("node", "where its container runs or ran", "node:worker-7"),
    Qualifier("by", "who asked for it; me is you", "by:me"),
    Qualifier("id", "the beginning of its id", "id:0198f2"),
    Qualifier("attempt", "the number of its newest attempt", "attempt>1", compares=True),
    Qualifier("label", "a label: its key, or key=value", "label:team=data"),
    Qualifier("pool", "the pool whose slots it takes", "pool:etl-db"),
    Qualifier(
        "waiting",
        "what it waits for",
        "waiting:approval",
        values=("limit", "approval", "retry", "due"),
    ),
    Qualifier("took", "from start to end, or until now", "took>5m", compares=True),
    Qualifier("since", "created at or after: an age or an instant", "since:2h"),
    Qualifier("until", "created before: an age or an instant", "until:2026-01-31T06:00"),
    Qualifier("input.NAME", "the value of a parameter", "input.customer:acme"),
)
QUALIFIERS: Final = {one.name: one for one in _ALL}
"""Every qualifier, by name, in the order in which they are offered."""

OPEN: Final = {"input.": "input.NAME"}
"""The beginnings of names that the user ends."""


def check(clause: Clause) -> Qualifier | None:
    """The clause's qualifier; None of free text.

    Raises
    ------
    QueryInvalid : there is no such qualifier, or it does not compare.
    """
    if not clause.key:
        return None
    found = QUALIFIERS.get(_listed(clause.key))
    if found is None:
        raise _unknown(clause)
    if clause.operator != ":" and not found.compares:
        raise QueryInvalid(
            f"{clause.key} cannot be compared with {clause.operator}.",
            clause.column,
            fix=f"Write it as {found.example}.",
        )
    if found.values:
        _one_of(clause, found)
    return found


def _listed(key: str) -> str:
    return next((name for begin, name in OPEN.items() if key.startswith(begin)), key)


def _one_of(clause: Clause, qualifier: Qualifier) -> None:
    for value in clause.values:
        if value not in qualifier.values:
            raise QueryInvalid(
                f"There is no {clause.key} {value!r}.",
                clause.column,
                why=suggestion(value, qualifier.values),
                fix=f"It is one of {', '.join(qualifier.values)}.",
            )


def _unknown(clause: Clause) -> QueryInvalid:
    return QueryInvalid(
        f"There is no qualifier {clause.key!r}.",
        clause.column,
        why=suggestion(clause.key, QUALIFIERS),
        fix=f"There are {', '.join(QUALIFIERS)}. In quotes it is searched for as text.",
    )
