"""New runs: what their rows say, and writing the rows of many at once.

A tick starts hundreds of runs in one transaction. What they share is read once, and
headers, labels and steps are each written in one go; a single run goes the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.errors import Conflict, NotFound, StepwellError
from stepwell.events import emit
from stepwell.server.database.session import Database
from stepwell.server.groups import service as groups
from stepwell.server.runs import labels, queries, slots, waits
from stepwell.server.runs import parameters as fit
from stepwell.server.runs.approvals import operation_step
from stepwell.server.runs.course import Course, after
from stepwell.server.runs.course import of as course_of
from stepwell.server.runs.headers import found
from stepwell.server.runs.records import PRIORITIES, RunState
from stepwell.server.runs.waking import SUPERVISE
from stepwell.server.runs.wishes import NO_WISHES, Wishes
from stepwell.server.services import QUEUE
from stepwell.step import Addition, Step, new_step

DEADLINE: Final = 24 * 60 * 60.0
"""Seconds that a run may take, unless its workflow says otherwise (R3)."""


class WorkflowNotReleased(NotFound):
    """The group's current release has no such workflow (R37)."""

    code = "workflow-not-released"


@dataclass(frozen=True, slots=True)
class _New:
    """A run that is not written yet: its header, its first operation and its supervising step."""

    header: dict[str, Any]
    operation: Addition
    supervisor: Addition

    @property
    def is_due(self) -> bool:
        """Whether it needs a slot now."""
        step = self.operation.step
        return step.schedule_time <= step.created_at

    def looking_at(self, at: datetime | None) -> Addition:
        """Its supervising step, which looks at that instant; None: now."""
        if at is None:
            return self.supervisor
        return replace(self.supervisor, step=replace(self.supervisor.step, schedule_time=at))


class Starts:
    """Runs that are begun in the caller's transaction, and written together.

    Parameters
    ----------
    schedule_labels : schedule -> labels of its runs, as far as the caller knows them.
    """

    def __init__(
        self,
        conn: Connection,
        db: Database,
        schedule_labels: Mapping[UUID, Mapping[str, str]] | None = None,
    ) -> None:
        self.conn, self.db = conn, db
        self._labels = schedule_labels or {}
        self._released: dict[tuple[str, str], RowMapping | StepwellError] = {}
        self._new: list[_New] = []

    def released(self, group: str, workflow: str) -> RowMapping:
        """As the function of this name, of the current release; asked once for each workflow."""
        place = (group, workflow)
        if place not in self._released:
            self._released[place] = _released_or_error(self.conn, group, workflow)
        known = self._released[place]
        if isinstance(known, StepwellError):
            raise known.with_traceback(None)
        return known

    def add(
        self,
        release: Mapping[Any, Any],
        values: dict[str, Any],
        wishes: Wishes = NO_WISHES,
        course: Course | None = None,
    ) -> dict[str, Any]:
        """Begin a run; its header. The arguments are those of `insert_run`."""
        now, entry = clock.now(), release["entry"]
        course = course_of(entry) if course is None else course
        header = {**_fresh(release, now, wishes), **values, "course": course}
        header["due_at"] = header["due_at"] or now
        words = wishes.labels or self._labels_of(header.get("schedule_id"))
        header["labels"] = dict(words) or None
        steps = (seal(step, JSON, now) for step in _first_steps(header, entry, now))
        self._new.append(_New(header, *steps))
        return header

    @property
    def draft(self) -> tuple[dict[str, Any], Step]:
        """The header and the first operation of what was begun last, and is not written."""
        return self._new[-1].header, self._new[-1].operation.step

    @property
    def begun(self) -> int:
        """How many are begun and not written."""
        return len(self._new)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What is begun within the block is forgotten if the block raises."""
        before = len(self._new)
        try:
            yield
        except BaseException:
            del self._new[before:]
            raise

    def write(self) -> None:
        """Write what was begun: all of it, or nothing if it raises."""
        new, self._new = self._new, []
        if not new:
            return
        headers = [one.header for one in new]
        queries.add_all(self.conn, headers)
        labels.add_all(self.conn, headers)
        looks = self._line_up([one.header for one in new if one.is_due])
        tx = self.db.steps(self.conn)
        tx.add([one.operation for one in new])
        tx.add([one.looking_at(looks.get(one.header["id"])) for one in new])
        for header in headers:
            told = {name: header[name] for name in ("workflow", "trigger")}
            emit("run.created", run=header["id"], group=header["group_name"], **told)

    def _line_up(self, due: Sequence[dict[str, Any]]) -> dict[UUID, datetime]:
        """Put those in line that get no slot now, so that a burst is not a burst of looks.

        Returns
        -------
        When each of these looks by itself, if it is not woken before.
        """
        looks, now = {}, clock.now()
        for header, full in slots.full_for_new(self.conn, due):
            waiting = waits.in_line(header, full, now)
            told = {"waiting_code": waiting.code, "waiting": waiting.model_dump(mode="json")}
            queries.change(self.conn, header["id"], **told)
            looks[header["id"]] = waits.look_again(header, full, now)
        return looks

    def _labels_of(self, schedule_id: UUID | None) -> Mapping[str, str]:
        if schedule_id is not None and schedule_id in self._labels:
            return self._labels[schedule_id]
        return labels.of_schedule(self.conn, schedule_id)


def released(
    conn: Connection, group: str, workflow: str, release_id: UUID | None = None
) -> RowMapping:
    """The workflow in a release of a group that is in use, by default the current one.

    Raises
    ------
    GroupNotFound, GroupArchived, WorkflowNotReleased.
    """
    if groups.get(conn, group).archived_at is not None:
        groups.active(conn, group)
    entry = queries.released(conn, group, workflow, release_id)
    if entry is not None:
        return entry
    known = queries.workflow_names(conn, group)
    raise WorkflowNotReleased(
        f"The group {group!r} has no released workflow {workflow!r}.",
        why=f"Its release has {', '.join(known)}." if known else "It has no release yet.",
        fix="Correct the name, or approve the workflow: `stepwell groups review`.",
    )


def insert_run(
    conn: Connection,
    db: Database,
    release: Mapping[Any, Any],
    values: dict[str, Any],
    wishes: Wishes = NO_WISHES,
    course: Course | None = None,
) -> RowMapping:
    """Insert header, first operation and supervising step of a run; its header.

    Parameters
    ----------
    release : the workflow in the release that the run is pinned to (R37).
    values : columns of the header; without `due_at` it is due now.
    course : what is left out, and what waits for approval, by default as the source says.
    """
    starts = Starts(conn, db)
    header = starts.add(release, values, wishes, course)
    starts.write()
    return found(queries.get(conn, header["id"]), header["id"])


def check_parameters(
    workflow: str, entry: Mapping[str, Any], parameters: Mapping[str, Any]
) -> None:
    """The parameters fit the workflow's entry of its manifest; raises `ParametersInvalid`."""
    fit.check(workflow, entry.get("parameters") or {}, parameters)


def _released_or_error(conn: Connection, group: str, workflow: str) -> RowMapping | StepwellError:
    try:
        return released(conn, group, workflow)
    except (NotFound, Conflict) as error:  # not there, or archived: so for all of its runs
        return error


def _fresh(release: Mapping[Any, Any], now: datetime, wishes: Wishes) -> dict[str, Any]:
    """What every new header says; the release is pinned for all attempts (R37)."""
    entry = release["entry"]
    seconds = wishes.deadline or entry.get("deadline") or DEADLINE
    limits = {"workflow": entry.get("limit"), "group": release.get("group_limit")}
    return {
        "workflow": release["workflow"],
        "release_id": release["release_id"],
        "digest": release["digest"],
        "state": RunState.WAITING,
        "created_at": now,
        "deadline_at": now + timedelta(seconds=seconds),
        "attempt": 0,
        "warnings": 0,
        "band": PRIORITIES.index(wishes.priority),
        "pool": entry.get("pool"),
        "limits": {kind: one for kind, one in limits.items() if one is not None} or None,
    }


def _first_steps(run: Mapping[str, Any], entry: Mapping[str, Any], now: datetime) -> list[Any]:
    """The first operation, and the supervising step in a flow of its own."""
    key, order = str(run["id"]), [one["name"] for one in entry["operations"]]
    first = after(order, (run["course"] or {}).get("left_out", ()), order[0])
    assert first is not None, "a run without operations is not started"
    return [
        operation_step(run, first, {"parameters": dict(run["parameters"])}, now),
        new_step(SUPERVISE, {"run_id": key}, queue=QUEUE, unique_key=key, correlation_id=key),
    ]
