"""The settlement of a batch: the rows that match, and what was settled before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from stepwell.outcome import Settlement
from stepwell.step import Addition, EndedAs
from stepwell.stores.joins import Ending
from stepwell.stores.postgres import adding
from stepwell.stores.postgres.arrays import (
    DOUBLE,
    FLAG,
    ID,
    INSTANT,
    NUMBER,
    TEXT,
    WORD,
    Rows,
    columns,
    is_repeated,
    value_of,
)
from stepwell.stores.postgres.queries import Call, sql
from stepwell.stores.postgres.statements import Statements

_ROWS: Final = Rows(
    of_each={
        "step_id": ID,
        "claim_no": NUMBER,
        "description": TEXT,
        "execution_started_at": INSTANT,
        "execution_duration": DOUBLE,
        "result": TEXT,
    },
    of_all={
        "engine_id": ID,
        "ended_as": WORD,
        "activation_seen": NUMBER,
        "failure_count": NUMBER,
        "executed_by": TEXT,
        "schedule_time": INSTANT,
        "keep_state": FLAG,
        "state": TEXT,
        "state_format": TEXT,
        "keep_activation": FLAG,
        "result_format": TEXT,
        "fingerprint": TEXT,
        "passes_join": FLAG,
        "unwritten": FLAG,
    },
)
_FRESH: Final = attrgetter("fresh")
_OWN: Final = tuple(
    name
    for name in (*_ROWS.of_each, *_ROWS.of_all)
    if name not in {"step_id", "claim_no", "engine_id"}
)
_WELL: Final = (EndedAs.DONE, EndedAs.SKIPPED)


class Asked:
    """Settlements as the server is asked for them: in the order of their steps' ids.

    Parameters
    ----------
    engines : whose claim each settles.
    packed : whether columns go in the server's own form, where they have one.
    alive : the engine that must not be declared dead before the commit, if that is not known.
    """

    def __init__(
        self,
        engines: Sequence[UUID],
        settlements: Sequence[Settlement],
        *,
        packed: bool,
        alive: UUID | None = None,
    ) -> None:
        self._settlements, self._packed = settlements, packed
        ids = [one.claim.step_id.int for one in settlements]
        self._order = order = sorted(range(len(ids)), key=ids.__getitem__)
        self._told = _columns([engines[one] for one in order], [settlements[one] for one in order])
        (asked, *rest), self.values = self._form()
        self.parts: tuple[str, ...] = ("settle_head", asked, *rest)
        """Those of the statement before its answer; `values` is what it is given."""
        if alive is not None:
            self.parts = ("settle_alive", asked, "settle_if_alive", *rest)
            self.values["alive"] = alive

    def _form(self) -> tuple[tuple[str, ...], dict[str, Any]]:
        told = self._told
        if not _ROWS.are_alike(told):
            return ("settle_each", "settle"), self._each()
        given = _named(_ROWS.alike(told, packed=self._packed))
        if _all_well(told):
            given["told_claim_no"] = value_of(told["claim_no"][0], NUMBER)
            return ("settle_done", "settle_done_rows"), given
        return ("settle_alike", "settle"), given

    def _each(self) -> dict[str, Any]:
        return _named(_ROWS.each(self._told, packed=self._packed))

    def before(self, statements: Statements) -> set[int]:
        """The places of those that an earlier try has settled, or this one."""
        return self._places(
            [place for (place,) in statements.rows("settled_before", **self._each())]
        )

    def applied(self, due: bool | None, places: Sequence[int] | None) -> set[int]:
        """The places of the settlements that were applied, as the answer tells."""
        everything = due is not None and places is None
        return set(self._order) if everything else self._places(places or ())

    def endings(self, members: Iterable[Sequence[Any] | None]) -> list[Ending]:
        """The members of joins that end, as the answer tells."""
        rows = zip(*[column or () for column in members], strict=True)
        return [self._ending(self._order[one - 1], *join) for one, *join in rows]

    def _ending(self, place: int, join_id: UUID, name: str) -> Ending:
        settlement = self._settlements[place]
        assert settlement.ended_as is not None, "it has ended"
        step_id, said = settlement.claim.step_id, settlement.description
        return Ending(join_id, step_id, name, settlement.ended_as, said)

    def _places(self, answered: Iterable[int]) -> set[int]:
        return {self._order[place - 1] for place in answered}


def settle(
    statements: Statements, engines: Sequence[UUID], settlements: Sequence[Settlement]
) -> tuple[set[int], set[int], list[Ending]]:
    """Apply those whose claims still hold.

    Parameters
    ----------
    engines : whose claim each settles.

    Returns
    -------
    The places of these, and of what was settled before; and the members of joins that end.
    """
    asked = Asked(engines, settlements, packed=not statements.lent)
    ((due, places, *members),) = statements.rows(*asked.parts, "settle_answer", **asked.values)
    statements.work_is_due(bool(due))
    now = asked.applied(due, places)
    before = asked.before(statements) - now if len(now) < len(settlements) else set()
    return now, before, asked.endings(members)


def can_be_last(settlements: Sequence[Settlement], additions: Sequence[Addition]) -> bool:
    """Whether nothing has to be asked between these settlements and the commit: all that they
    spawn is new, and nothing but a settlement's own end decides that it is inserted."""
    if not additions:
        return True
    parents = [one.claim.step_id for one in settlements for _ in one.additions]
    return (
        len(additions) <= adding.AT_ONCE
        and all(map(_FRESH, additions))
        and not adding.can_be_refused(additions)
        and parents == [one.step.created_by_step_id for one in additions]
    )


def last(asked: Asked, additions: Sequence[Addition]) -> Call:
    """Settlements and what they spawn as one statement, which looks at nothing but claims."""
    spawn, given = [], asked.values
    if additions:
        rows, new = adding.values([one.step for one in additions], packed=True)
        spawn, given = ["spawn", "add", rows, "add_as", "spawn_of_settled"], {**given, **new}
    return sql(*asked.parts, *spawn, "settle_answer"), given


def _all_well(told: Mapping[str, Sequence[Any]]) -> bool:
    """Whether all end well and as they are, under one number of claim; else they are alike."""
    ended_as, keep_state = told["ended_as"][0], told["keep_state"][0]
    return ended_as in _WELL and keep_state and is_repeated(told["claim_no"])


def _columns(
    engines: Sequence[UUID], settlements: Sequence[Settlement]
) -> dict[str, Sequence[Any]]:
    """The settlements as columns, by name."""
    claims = [one.claim for one in settlements]
    return {
        **columns(settlements, _OWN),
        "engine_id": engines,
        "step_id": [claim.step_id for claim in claims],
        "claim_no": [claim.claim_no for claim in claims],
    }


def _named(given: Mapping[str, Any]) -> dict[str, Any]:
    """As the statements call them, in which new steps have columns of the same names."""
    return {f"told_{name}": value for name, value in given.items()}
