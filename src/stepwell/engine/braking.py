"""What holds up a step that is due: a pause, a limit, a rate. In a sentence, for `explain`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from stepwell.step import Step, StepQuery, StepStatus
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.protocol import Transaction

_MOST_SHOWN: Final = 5


def held_up(tx: Transaction, step: Step, now: datetime) -> str | None:
    """Why a step that is due is not claimed, if a control or a limit is the reason.

    None for a step that is not due, is claimed, has ended, or is held up by nothing of this.
    """
    if step.ended_as is not None or step.claimed_by is not None or step.schedule_time > now:
        return None
    controls = {(one.kind, one.key): one for one in tx.controls()}
    if pause := controls.get((ControlKind.PAUSE, step.queue)):
        return _paused(step.queue, pause)
    limit = controls.get((ControlKind.LIMIT, step.limit_key or ""))
    rate = controls.get((ControlKind.RATE, step.rate_key or ""))
    return _limited(tx, step, limit) or _rated(rate, now)


def _paused(queue: str, pause: Control) -> str:
    return f"The queue {queue!r} is paused{_said(pause)}: {pause.reason or 'no reason given'}."


def _limited(tx: Transaction, step: Step, limit: Control | None) -> str | None:
    if (key := step.limit_key) is None:
        return None
    slots = (step.limit_slots or 1) if limit is None else limit.slots or 0
    query = StepQuery(limit_key=key, status=StepStatus.READY, claimed=True, limit=1000)
    holders = tx.search(query)
    if len(holders) < slots:
        return None
    if not slots:
        return f"Its limit key {key!r} has no slots at all."
    taken = f"{min(len(holders), slots)} of {slots} slots of {key!r} are taken"
    names = [f"{one.id} ({one.name})" for one in holders[:_MOST_SHOWN]]
    more = len(holders) - len(names)
    return f"The limit is reached: {taken} by {_listed(names, more)}."


def _rated(rate: Control | None, now: datetime) -> str | None:
    if rate is None or rate.next_free_at is None or rate.next_free_at <= now:
        return None
    pace = f"{rate.slots} in {rate.period:g} s"
    return f"The rate of {rate.key!r} is {pace}: the next begins at {_instant(rate.next_free_at)}."


def _said(control: Control) -> str:
    since = f" since {_instant(control.changed_at)}" if control.changed_at else ""
    return f"{since} by {control.changed_by}" if control.changed_by else since


def _listed(names: Iterable[str], more: int) -> str:
    text = ", ".join(names)
    return f"{text} and {more} more" if more else text


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
