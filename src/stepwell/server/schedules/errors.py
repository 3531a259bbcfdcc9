"""What can be refused in this room."""

from __future__ import annotations

from uuid import UUID

from stepwell.errors import Conflict, InvalidInput, NotFound


class ScheduleNotFound(NotFound):
    """No schedule has this id."""

    code = "schedule-not-found"

    def __init__(self, schedule_id: UUID) -> None:
        super().__init__(
            f"There is no schedule {schedule_id}.", fix="See `stepwell schedules list`."
        )


class ScheduleExists(Conflict):
    """The workflow has a schedule of that name."""

    code = "schedule-exists"


class ScheduleInactive(Conflict):
    """The schedule's workflow is not in the current release, or it was removed."""

    code = "schedule-inactive"


class ScheduleCatchingUp(Conflict):
    """More is due than one transaction may settle; the tick is at it."""

    code = "schedule-catching-up"


class SchedulePaused(Conflict):
    """It is paused already."""

    code = "schedule-paused"


class ScheduleNotPaused(Conflict):
    """It is not paused."""

    code = "schedule-not-paused"


class ScheduleNotOverridden(Conflict):
    """It is what the source says, or was never in the source."""

    code = "schedule-not-overridden"


class ScheduleFromSource(Conflict):
    """The source declares it, so only the source can take it away."""

    code = "schedule-from-source"


class ScheduleNeverDue(InvalidInput):
    """No instant from now on fits."""

    code = "schedule-never-due"


class ReasonMissing(InvalidInput):
    """What deviates from the source needs a reason (R31)."""

    code = "reason-missing"


class PlanAmbiguous(InvalidInput):
    """A plan that names a schedule twice."""

    code = "plan-ambiguous"


class PlanIncomplete(InvalidInput):
    """A plan with a new schedule that does not say when."""

    code = "plan-incomplete"


class PauseInvalid(InvalidInput):
    """A pause that ends before it begins."""

    code = "pause-invalid"


class ScheduleSkipsTooMany(Conflict):
    """So many instants are to be skipped already."""

    code = "schedule-skips-too-many"


class ScheduleNothingSkipped(Conflict):
    """No instant is to be skipped, so nothing can be taken back."""

    code = "schedule-nothing-skipped"


class DowntimeNotFound(NotFound):
    """No downtime has this id."""

    code = "downtime-not-found"


class DowntimeAnswered(Conflict):
    """Somebody has decided already about what was missed."""

    code = "downtime-answered"


class BackfillNotFound(NotFound):
    """No backfill has this id."""

    code = "backfill-not-found"


class BackfillEnded(Conflict):
    """The backfill is done, or was cancelled."""

    code = "backfill-ended"


class BackfillEmpty(Conflict):
    """No instant of the span is to be run."""

    code = "backfill-empty"


class BackfillSpanInvalid(InvalidInput):
    """A span that ends before it begins, or in the future."""

    code = "backfill-span-invalid"


class BackfillTooLarge(InvalidInput):
    """More instants than one backfill takes."""

    code = "backfill-too-large"


class FireUnknown(NotFound):
    """The ledger has no such due instant."""

    code = "fire-unknown"


class FireRan(Conflict):
    """The instant has a run, or waits for one."""

    code = "fire-ran"
