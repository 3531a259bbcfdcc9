"""Joins on SQLite (R28): what `stores.joins` asks of a store. One writer needs no locks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from stepwell.step import Addition, EndedAs, JoinPolicy, Step
from stepwell.stores import joins
from stepwell.stores.joins import Ending, OpenJoin
from stepwell.stores.sqlite import moving
from stepwell.stores.sqlite.rows import ids_json, plain
from stepwell.stores.sqlite.statements import Statements


def add(
    sql: Statements, additions: Sequence[Addition], now: str, endings: Iterable[Ending] = ()
) -> list[bool]:
    """Insert rows, and do to joins what the verb means to them.

    Parameters
    ----------
    endings : members that the verb has ended before; those that give way to a new row are
        added to them.
    """
    ended = list(endings)
    inserted = moving.add(sql, additions, now, ended)
    if joins.concerned(additions):
        joins.check_members(additions, inserted)
        for addition, new in zip(additions, inserted, strict=True):
            if new and joins.asks_for_place(addition.step):
                _take_place(sql, addition.step)
    close(sql, ended, now)
    return inserted


def close(sql: Statements, endings: Sequence[Ending], now: str) -> None:
    """Do to the joins what the ends of their members mean."""
    if endings:
        joins.close(_Rows(sql, now), endings)


def _take_place(sql: Statements, copy: Step) -> None:
    values = {"source": plain(copy.copy_of), "join": plain(copy.join_id)}
    if not sql.run("joins_take_place", values).rowcount:
        sql.execute("UPDATE stepwell_ready SET join_id = NULL WHERE id = ?", [plain(copy.id)])


class _Rows:
    """The rows that wait."""

    def __init__(self, sql: Statements, now: str) -> None:
        self._sql, self._now = sql, now

    def open_joins(self, ids: Sequence[UUID], *, failing: bool) -> list[OpenJoin]:
        values = {"ids": ids_json(ids), "failing": failing}
        return [
            OpenJoin(UUID(one), up and UUID(up), name, policy and JoinPolicy(policy))
            for one, up, name, policy in self._sql.run("joins_open", values)
        ]

    def count_down(self, ended: Mapping[UUID, int]) -> None:
        rows = [{"id": str(one), "ended": n, "now": self._now} for one, n in ended.items()]
        self._sql.run_many("joins_count_down", rows)
        self._sql.news = True

    def fail_join(self, join_id: UUID, reason: str) -> None:
        moving.end(self._sql, str(join_id), EndedAs.FAILED, reason, None, self._now, [])
