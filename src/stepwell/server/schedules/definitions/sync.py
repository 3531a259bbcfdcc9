"""Make the schedules follow a release (R31, R37).

Schedules from source become what the release says. Overridden ones stay as they
are, and the difference is reported. A renamed workflow takes its schedules along,
with pause and ledger. What is not in the release any more is out of force.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell.schedules import from_json
from stepwell.server.audit import service as audit
from stepwell.server.schedules import queries
from stepwell.server.schedules.definitions import changing
from stepwell.server.schedules.instant import now_of
from stepwell.server.schedules.queries import Row
from stepwell.server.schedules.records import Change, Origin
from stepwell.server.services import Services

DEFAULT: Final = "default"
"""The name of the schedule that the source declares."""
_TOLD_APART: Final = {"workflow", "name", "verb", "was", "now"}


def sync_with_release(
    conn: Connection, services: Services, release_id: UUID, actor: str
) -> list[Change]:
    """Bring a group's schedules in line with a release, in the transaction that makes it current.

    Returns what was done: verbs created, updated, moved, reactivated, deactivated, and
    *kept* for an overridden schedule that differs from the source.
    """
    workflows = queries.released(conn, release_id)
    group = queries.group_of(conn, release_id)
    sync = _Sync(conn, services, group, workflows)
    changes = list(sync.changes())
    for change in changes:
        details = change.model_dump(mode="json", exclude=_TOLD_APART)
        target = f"{group}/{change.workflow}/{change.name}"
        told = {"before": change.was, "after": change.now}
        audit.record(conn, actor, f"schedule.{change.verb}", target, "release", details, **told)
    changing.wake(conn, services.db)
    return changes


class _Sync:
    def __init__(self, conn: Connection, services: Services, group: str, workflows: Any) -> None:
        self.conn, self.group = conn, group
        self.books, self.now = changing.books_of(services), now_of(conn, services.clock)
        self.entries = {row["workflow"]: row["entry"] for row in workflows}
        self.old_names = {
            row["renamed_from"]: row["workflow"] for row in workflows if row["renamed_from"]
        }

    def changes(self) -> Iterator[Change]:
        rows = queries.lock_of_group(self.conn, self.group)
        for row in rows:
            self._settle(row)
        yield from self._moved(rows)
        rows = queries.lock_of_group(self.conn, self.group)
        for row in rows:
            change = self._followed(row)
            if change is not None:
                yield change
        have = {row["workflow"] for row in rows if row["name"] == DEFAULT}
        yield from self._created(have)

    def _settle(self, row: Row) -> None:
        """What was due before the release belongs to the rules from before it."""
        more = row["active"]
        while more:
            more = self.books.settle(self.conn, row, self.now).more
            row = changing.found(queries.get(self.conn, row["id"]), row["id"])

    def _moved(self, rows: Any) -> Iterator[Change]:
        for row in rows:
            new = self.old_names.get(row["workflow"])
            if new is None or self._taken(new, row["name"]):
                continue
            queries.change(self.conn, row["id"], workflow=new)
            told: dict[str, Any] = {"was": {"workflow": row["workflow"]}, "now": {"workflow": new}}
            yield self._change(row, "moved", workflow=new, **told)

    def _taken(self, workflow: str, name: str) -> bool:
        """Whether a schedule in force has the name; one of before, that has not, gives way."""
        there = queries.named(self.conn, self.group, workflow, name)
        if there is not None and not there["active"]:
            aside = f"{name[:80]}-{there['id'].hex[-12:]}"
            queries.change(self.conn, there["id"], origin=Origin.REMOVED, name=aside)
        return there is not None and bool(there["active"])

    def _created(self, have: set[str]) -> Iterator[Change]:
        for workflow, entry in self.entries.items():
            if entry.get("schedule") is None or workflow in have:
                continue
            schedule_id = changing.add(
                self.conn,
                from_json(entry["schedule"]),
                self.now,
                "Created by a release.",
                group_name=self.group,
                workflow=workflow,
                name=DEFAULT,
                origin=Origin.SOURCE,
                changed_by="release",
                parameters={},
            )
            yield Change(
                schedule_id=schedule_id,
                workflow=workflow,
                name=DEFAULT,
                verb="created",
                source=entry["schedule"],
                in_force=entry["schedule"],
                now={"spec": entry["schedule"], "active": True},
            )

    def _followed(self, row: Row) -> Change | None:
        entry = self.entries.get(row["workflow"])
        if entry is None:
            return self._deactivated(row, "Its workflow is not in the release.")
        if row["origin"] == Origin.SOURCE:
            return self._follow_source(row, entry.get("schedule"))
        if not row["active"]:
            return self._reactivated(row)
        return self._kept(row, entry.get("schedule"))

    def _follow_source(self, row: Row, source: dict[str, Any] | None) -> Change | None:
        if source is None:
            return self._deactivated(row, "The source declares no schedule any more.")
        spec = from_json(source)
        if row["active"] and spec.as_json() == row["spec"]:
            return None
        verb = "updated" if row["active"] else "reactivated"
        why = f"{verb.capitalize()} by a release."
        changing.put_in_force(self.conn, row, spec, self.now, why, changed_by="release")
        told = _sides(row, spec.as_json())
        return self._change(row, verb, source=source, in_force=spec.as_json(), **told)

    def _reactivated(self, row: Row) -> Change:
        changing.put_in_force_again(self.conn, row, self.now, "Reactivated by a release.")
        return self._change(row, "reactivated", in_force=row["spec"], **_sides(row, row["spec"]))

    def _deactivated(self, row: Row, why: str) -> Change | None:
        if not row["active"]:
            return None
        changing.put_out_of_force(self.conn, row, self.now, why)
        told = _sides(row, row["spec"], active=False)
        return self._change(row, "deactivated", in_force=row["spec"], **told)

    def _kept(self, row: Row, source: dict[str, Any] | None) -> Change | None:
        """An override that says the same as the source is no difference to report."""
        says = None if source is None else from_json(source).as_json()
        if row["origin"] != Origin.OVERRIDDEN or says == row["spec"]:
            return None
        return self._change(row, "kept", source=source, in_force=row["spec"])

    def _change(self, row: Row, verb: str, workflow: str | None = None, **more: Any) -> Change:
        return Change(
            schedule_id=row["id"],
            workflow=workflow or row["workflow"],
            name=row["name"],
            verb=verb,
            **more,
        )


def _sides(row: Row, spec: dict[str, Any], *, active: bool = True) -> dict[str, Any]:
    return {
        "was": {"spec": row["spec"], "active": row["active"]},
        "now": {"spec": spec, "active": active},
    }
