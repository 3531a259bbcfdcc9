"""Watching over one run: attempt after attempt, until its rows have ended (R33).

Each move is one transaction that looks at the header anew, so the server may
be killed between any two of them and the next execution goes on from there.
Nothing is launched before its attempt row is committed, and the launch is
idempotent by its name.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.engine.judgement import storable
from stepwell.errors import InvalidInput, StepwellError
from stepwell.events import emit
from stepwell.launchers.protocol import LaunchStatus
from stepwell.outcome import Outcome, done, rerun
from stepwell.server.groups import service as groups
from stepwell.server.groups.records import Group
from stepwell.server.logs import service as logs
from stepwell.server.runs import (
    approvals,
    closing,
    launching,
    queries,
    quotas,
    slots,
    staging,
    waits,
)
from stepwell.server.runs.judgement import MOST_LOST, executions, losses, lost_with, operation_of
from stepwell.server.runs.judgement import ready as ready_rows
from stepwell.server.runs.records import RunState, Waiting, WaitingCode
from stepwell.server.services import LauncherOff, Services
from stepwell.step import Step, StepQuery, StepStatus
from stepwell.stores.protocol import Transaction

WATCH: Final = "v1/server/watch"

ENDING: Final = 0.2
"""Seconds between looks at a container that is about to end."""
LINGER: Final = 30.0
"""Seconds that a container may stay when all its operations have ended."""
TRY_LAUNCH: Final = 5.0
"""Seconds until a launch that could not be made is tried again."""
FORSAKEN: Final = 600.0
"""Seconds for which a run that should be over is left to servers that have its launcher."""
SILENT: Final = 60.0
"""Seconds for which a container may live without touching what it has to do."""
USERS_MISTAKE: Final = 2
"""The exit code that says: launching this image again will not help."""


class Supervision:
    """One execution of a run's supervising step.

    Parameters
    ----------
    services : the server's parts.
    run_id : the run.
    silence : what an earlier look found lying unclaimed, and since when.
    """

    def __init__(
        self, services: Services, run_id: UUID, silence: dict[str, str] | None = None
    ) -> None:
        self.services, self.run_id, self.silence = services, run_id, silence

    def move(self) -> Outcome:
        """Attend to the open attempt, if there is one; then take the run's next move."""
        with self.services.db.read() as conn:
            run = queries.get(conn, self.run_id)
            if run is None:
                return done(description="The run does not exist any more.")
            attempt = queries.attempt(conn, self.run_id, run["attempt"])
            group = groups.get(conn, run["group_name"])
        if attempt is not None and attempt["finished_at"] is None:
            return self._attend(run, attempt, group)
        return self._proceed(group)

    # -- an open attempt -------------------------------------------------------

    def _attend(self, run: RowMapping, attempt: RowMapping, group: Group) -> Outcome:
        try:
            launcher = self.services.launcher(group.launcher)
        except LauncherOff as error:
            return self._unattended(run, attempt, group, error)
        wanted = run["state"] in (RunState.STARTING, RunState.RUNNING)
        wanted = wanted and clock.now() < run["deadline_at"] and not self._crowded()
        if attempt["launched_at"] is None and wanted:
            return self._launch(run, group)
        with self.services.asking(group.launcher):
            name = launching.name(self.run_id, attempt["number"])
            handle = attempt["handle"] or launcher.find(name)
            status = launcher.poll(handle)
            output = launcher.logs(handle) if status.state == "ended" else ""
        if status.state == "ended":
            if attempt["launched_at"] is None:  # why not is known better than by the launcher
                status = replace(status, reason=attempt["condition"] or status.reason)
            logs.complete(self.services, self.run_id, attempt["number"], output)
            self._finish(attempt["number"], status, storable(_tail(output, status)))
            return self._proceed(group)
        self._note_silence(attempt)
        if wanted and not self._lingers() and not self._out_of_touch():
            return self._look_again(run)
        with self.services.asking(group.launcher):
            launcher.stop(handle)
        return rerun(after=ENDING, description="Waits for the container to stop.")

    def _unattended(
        self, run: RowMapping, attempt: RowMapping, group: Group, error: LauncherOff
    ) -> Outcome:
        """This server cannot look at its container, which may go on: another one may take the
        step. Where nobody did until long after it should be over, it is closed unseen."""
        over = run["finished_at"] or self._ended_at() or run["deadline_at"]
        if clock.now() - over < timedelta(seconds=FORSAKEN):
            self._note(attempt, str(error))
            return rerun(after=TRY_LAUNCH, description=str(error))
        self._finish(attempt["number"], LaunchStatus(state="ended", reason=str(error)), "")
        return self._proceed(group)

    def _note(self, attempt: RowMapping, condition: str) -> None:
        if attempt["condition"] != condition:
            with self.services.db.write() as conn:
                queries.change_attempt(conn, self.run_id, attempt["number"], condition=condition)

    def _lingers(self) -> bool:
        """Whether it is still there long after the last operation has ended."""
        last = self._ended_at()
        return last is not None and clock.now() - last > timedelta(seconds=LINGER)

    def _crowded(self) -> bool:
        """Whether it has more steps than a run may."""
        most = self.services.settings.steps_per_run
        if not most:
            return False
        with self.services.db.read() as conn:
            return quotas.steps(self.services.db.steps(conn), self.run_id, most) > most

    def _note_silence(self, attempt: RowMapping) -> None:
        """Note a due row that lies unclaimed though the container had begun."""
        with self.services.db.read() as conn:
            ready = ready_rows(closing.rows(self.services.db.steps(conn), self.run_id))
        idle = [step for step in ready[:1] if step.claimed_by is None]
        if attempt["started_at"] is None or not idle or idle[0].schedule_time > clock.now():
            self.silence = None
            return
        mark = f"{idle[0].id}/{idle[0].claim_no}"
        if self.silence is None or self.silence["mark"] != mark:
            self.silence = {"mark": mark, "since": clock.now().isoformat()}

    def _out_of_touch(self) -> bool:
        """Whether the container lives, but does not reach this server any more."""
        if self.silence is None:
            return False
        since = datetime.fromisoformat(self.silence["since"])
        return clock.now() - since >= timedelta(seconds=SILENT)

    def _look_again(self, run: RowMapping) -> Outcome:
        if self._ended_at() is not None:
            return rerun(after=ENDING, description="Waits for the container to end.")
        state = {"run_id": str(self.run_id), "silence": self.silence}
        at = min(run["deadline_at"], clock.now() + timedelta(seconds=waits.LOOK_AGAIN))
        return rerun(state, at=at, description="Watches over its container.")

    def _ended_at(self) -> datetime | None:
        """When the last operation ended; None while one is ready."""
        with self.services.db.read() as conn:
            tx = self.services.db.steps(conn)
            query = StepQuery(flow_id=self.run_id, limit=1)
            if tx.count(query).ready:
                return None
            return max(
                (s.ended_at for s in closing.rows(tx, self.run_id) if s.ended_at), default=None
            )

    def _finish(self, number: int, status: LaunchStatus, tail: str) -> None:
        """The container has ended: its token falls, its claims are given back.

        Nothing, if another server has seen it meanwhile: this one was declared dead.
        """
        with self.services.db.write() as conn:
            run = queries.lock(conn, self.run_id)
            assert run is not None
            attempts = queries.attempts_of(conn, self.run_id)
            if run["attempt"] != number or attempts[-1]["finished_at"] is not None:
                return
            tx, now, reason = self.services.db.steps(conn), clock.now(), storable(status.reason)
            steps = closing.rows(tx, self.run_id)
            before = (attempts[-2]["exit"] or {}) if len(attempts) > 1 else {}
            lost = lost_with(steps, before.get("executions", {}), now)
            staging.lost(conn, run, steps)
            _bury(tx, steps)
            values = {
                "finished_at": status.finished_at or now,
                "revoked_at": attempts[-1]["revoked_at"] or now,
                "condition": reason,
                "exit": {
                    "code": status.exit_code,
                    "reason": reason,
                    "tail": tail,
                    "lost": [str(step.id) for step in lost],
                    "executions": executions(steps),
                    **({"details": dict(status.details)} if status.details else {}),
                },
            }
            queries.change_attempt(conn, self.run_id, number, **values)
            if run["progress"] is not None:  # who told it is gone
                queries.change(conn, self.run_id, progress=None)
        emit("run.attempt_ended", run=self.run_id, attempt=number, reason=reason)

    # -- no open attempt -------------------------------------------------------

    def _proceed(self, group: Group) -> Outcome:
        with self.services.db.write() as conn:
            run = queries.lock(conn, self.run_id)
            assert run is not None
            outcome = self._next_move(conn, run)
            if outcome is not None:
                return outcome
            run = self._open_attempt(conn, run)
        return self._launch(run, group)

    def _next_move(self, conn: Connection, run: RowMapping) -> Outcome | None:
        """Close the run, or wait until a row is due; None asks for the next attempt."""
        if RunState(run["state"]).ended:
            return done({"state": run["state"]})
        attempt = queries.attempt(conn, self.run_id, run["attempt"])
        if attempt is not None and attempt["finished_at"] is None:
            return rerun(description="Another server has begun its next attempt.")
        tx = self.services.db.steps(conn)
        steps = closing.rows(tx, self.run_id)
        ready, now = ready_rows(steps), clock.now()
        if run["state"] == RunState.CANCELLING:
            closing.close_cancelled(conn, tx, run)
        elif not ready:
            closing.close_by_rows(conn, tx, run, steps)
        elif 0 < (most := self.services.settings.steps_per_run) < len(steps):
            closing.fail(conn, tx, run, quotas.crowded(most))
        elif reason := self._hopeless(conn, run, ready, now):
            closing.fail(conn, tx, run, reason)
        else:
            return self._hold(conn, tx, run, ready[0], now)
        return done()

    def _hold(
        self, conn: Connection, tx: Transaction, run: RowMapping, step: Step, now: datetime
    ) -> Outcome | None:
        """What keeps the next attempt from being opened; None if nothing does."""
        asked = approvals.asked(step)
        if asked is not None and asked.until <= now and not asked.goes_on:
            reason = f"Nobody approved it until {asked.until:%Y-%m-%d %H:%M:%S}Z."
            approvals.end_unapproved(conn, tx, run, step, reason)
            return rerun(description="Looks at what is left.")
        if step.schedule_time > now:
            return self._wait(conn, tx, run, step)
        full = slots.full_for(conn, run)
        return None if full is None else self._line_up(conn, tx, run, full)

    def _hopeless(
        self, conn: Connection, run: RowMapping, ready: list[Step], now: datetime
    ) -> str | None:
        """Why no further attempt is made, in words; None if there is to be one."""
        exits = [one["exit"] or {} for one in queries.attempts_of(conn, self.run_id)]
        if now >= run["deadline_at"]:
            return waits.past_deadline(run, exits[-1].get("reason", "") if exits else "")
        if ready[0].waiting_for:
            return f"{operation_of(ready[0])} waits for a step that has failed (R28)."
        if not exits:
            return None
        last = f"{exits[-1].get('reason', '')}\n{exits[-1].get('tail', '')}".strip()
        if exits[-1].get("code") == USERS_MISTAKE:
            return f"The image could not run the workflow. {last}"
        for step in ready:
            if losses(step.id, exits) >= MOST_LOST:
                return f"Its container was lost {MOST_LOST} times at {operation_of(step)}. {last}"
        return None

    def _wait(self, conn: Connection, tx: Transaction, run: RowMapping, step: Step) -> Outcome:
        """Sleep until the operation is due: it holds no slot meanwhile."""
        waiting = waits.until_due(run, step, clock.now())
        told = run["waiting"] == waiting.model_dump(mode="json")
        if waiting.code is WaitingCode.APPROVAL and not told:
            approvals.tell(conn, tx, run, waiting)
        self._set_waiting(conn, tx, run, waiting)
        at = min(step.schedule_time, run["deadline_at"])
        return rerun(at=at, description=f"Waits until {operation_of(step)} is due.")

    def _line_up(
        self, conn: Connection, tx: Transaction, run: RowMapping, full: slots.Full
    ) -> Outcome:
        """Wait for a slot; whoever frees one wakes the next in line, and it looks by itself."""
        now = clock.now()
        waiting = waits.in_line(run, full, now)
        self._set_waiting(conn, tx, run, waiting)
        return rerun(at=waits.look_again(run, full, now), description=waiting.sentence)

    def _set_waiting(
        self, conn: Connection, tx: Transaction, run: RowMapping, waiting: Waiting
    ) -> None:
        told = {"waiting_code": waiting.code, "waiting": waiting.model_dump(mode="json")}
        queries.change(conn, self.run_id, state=RunState.WAITING, **told)
        left_line = waiting.code is not WaitingCode.LIMIT and run["waiting_code"] != waiting.code
        if left_line or run["state"] in queries.HOLDING:
            slots.wake_next(conn, tx, freed=run)

    def _open_attempt(self, conn: Connection, run: RowMapping) -> RowMapping:
        """The next attempt's row; the token of the one before is revoked with it (R35)."""
        number, now = run["attempt"] + 1, clock.now()
        of = {"run_id": self.run_id, "number": number, "queued_at": now}
        queries.add_attempt(conn, **of, **waits.before(run))
        past = {"waiting_code": None, "waiting": None}
        queries.change(conn, self.run_id, attempt=number, state=RunState.STARTING, **past)
        opened = queries.get(conn, self.run_id)
        assert opened is not None
        return opened

    # -- launching -------------------------------------------------------------

    def _launch(self, run: RowMapping, group: Group) -> Outcome:
        """Start the container of the open attempt, unless it has been started."""
        try:
            handle = launching.start(self.services, run, group)
        except StepwellError as error:
            return self._not_launched(run["attempt"], error)
        with self.services.db.write() as conn:
            queries.lock(conn, self.run_id)
            values = {"handle": handle, "launched_at": clock.now()}
            values |= {"condition": None, "launch_condition": None}
            queries.change_attempt(conn, self.run_id, run["attempt"], **values)
            activate_watch(self.services.db.steps(conn))
        emit("run.launched", run=self.run_id, attempt=run["attempt"])
        return self._look_again(run)

    def _not_launched(self, number: int, error: StepwellError) -> Outcome:
        """What cannot work fails the run; what may work later is tried again."""
        with self.services.db.write() as conn:
            run = queries.lock(conn, self.run_id)
            assert run is not None
            if run["attempt"] != number:
                return rerun(description="Another supervisor went on meanwhile.")
            tx = self.services.db.steps(conn)
            told = launching.as_kept(getattr(error, "condition", None))
            queries.change_attempt(
                conn, self.run_id, number, condition=str(error), launch_condition=told
            )
            hopeless = isinstance(error, InvalidInput) or clock.now() >= run["deadline_at"]
            if hopeless and not RunState(run["state"]).ended:
                queries.change_attempt(conn, self.run_id, number, finished_at=clock.now())
                closing.fail(conn, tx, run, launching.not_started(error), launched=False)
                return done()
        emit("run.launch_failed", run=self.run_id, error=str(error))
        return rerun(after=TRY_LAUNCH, description=str(error))


def activate_watch(tx: Transaction) -> None:
    """Have the watch look for what was launched just now."""
    for step in tx.search(StepQuery(name=WATCH, status=StepStatus.READY, limit=1)):
        tx.activate(step.id, None, None)


def _bury(tx: Transaction, steps: list[Step]) -> None:
    """The launcher says that the container is gone, so its engines leave on its behalf."""
    for engine_id in {step.claimed_by for step in ready_rows(steps) if step.claimed_by}:
        tx.leave(engine_id)


def _tail(logs: str, status: LaunchStatus) -> str:
    """The last lines of the output, where the end was no good one."""
    return "" if status.exit_code == 0 else "\n".join(logs.splitlines()[-20:])[-4000:]
