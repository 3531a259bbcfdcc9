"""Every action that the audit log tells of, and what is told with it.

An action that changes something tells it before and after, one that adds tells what
there is after, one that removes what there was before. What is told of by itself says
here why it has neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeAlias


class Shape(StrEnum):
    """Which of before and after an entry has."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    SET = "set"  # changed, or added where there was nothing


Because: TypeAlias = str
"""Why an action has neither before nor after."""

_RUN: Final = "A new run begins, and its header says everything; what it is of is not changed."
_SECRET: Final = "What changes is a secret, which is told nowhere."  # noqa: S105 - says that it is none
_LINK: Final = "A signed link, which is kept nowhere."
_SESSION: Final = "It comes and goes with the person; nothing else is changed."

ACTIONS: Final[Mapping[str, Shape | Because]] = {
    "audit.sweep": "Old entries go, as the policy says; how many is in the details.",
    "badge.share": _LINK,
    "bulk.cancel": Shape.ADDED,
    "bulk.label": Shape.ADDED,
    "bulk.reexecute": Shape.ADDED,
    "bulk.repeat": Shape.ADDED,
    "bulk.stop": Shape.CHANGED,
    "calendar.add": Shape.ADDED,
    "calendar.change": Shape.CHANGED,
    "calendar.remove": Shape.REMOVED,
    "cause.mute": Shape.SET,
    "cause.unmute": Shape.REMOVED,
    "control.remove": Shape.REMOVED,
    "control.set": Shape.SET,
    "database.restore": "The whole database is another one; what was ended then is in the details.",
    "demo.remove": "The group is archived and its runs go; the entry of the group tells it.",
    "discovery.request": Shape.ADDED,
    "downtime.answer": Shape.ADDED,
    "group.archive": Shape.CHANGED,
    "group.change": Shape.CHANGED,
    "group.register": Shape.ADDED,
    "group.restore": Shape.CHANGED,
    "notification-rule.add": Shape.ADDED,
    "notification-rule.remove": Shape.REMOVED,
    "notification-target.add": Shape.ADDED,
    "notification-target.remove": Shape.REMOVED,
    "notification-target.renew-secret": _SECRET,
    "notification-target.test": "A message is sent; nothing is changed.",
    "notification.mute": Shape.SET,
    "notification.unmute": Shape.REMOVED,
    "release.rollback": Shape.CHANGED,
    "report.share": _LINK,
    "retention.change": Shape.CHANGED,
    "review.comment": Shape.ADDED,
    "review.confirm": Shape.CHANGED,
    "review.decide": Shape.CHANGED,
    "review.propose": Shape.ADDED,
    "review.refuse": Shape.CHANGED,
    "review.try": _RUN,
    "run-limit.remove": Shape.REMOVED,
    "run-limit.set": Shape.SET,
    "run.approve": Shape.CHANGED,
    "run.cancel": Shape.CHANGED,
    "run.change": Shape.CHANGED,
    "run.keep": Shape.CHANGED,
    "run.let-go": Shape.CHANGED,
    "run.re-execute": _RUN,
    "run.reject": Shape.CHANGED,
    "run.repeat": _RUN,
    "run.start": _RUN,
    "schedule.add": Shape.ADDED,
    "schedule.backfill": Shape.ADDED,
    "schedule.backfill-end": Shape.CHANGED,
    "schedule.change": Shape.CHANGED,
    "schedule.created": Shape.ADDED,
    "schedule.deactivated": Shape.CHANGED,
    "schedule.end-override": Shape.CHANGED,
    "schedule.end-skips": Shape.CHANGED,
    "schedule.kept": "A release has left it as it was; the details say what its source says.",
    "schedule.label": Shape.CHANGED,
    "schedule.moved": Shape.CHANGED,
    "schedule.pause": Shape.CHANGED,
    "schedule.reactivated": Shape.CHANGED,
    "schedule.remove": Shape.REMOVED,
    "schedule.resume": Shape.CHANGED,
    "schedule.run": _RUN,
    "schedule.skip": Shape.CHANGED,
    "schedule.updated": Shape.CHANGED,
    "session.begin": _SESSION,
    "session.end": _SESSION,
    "session.refuse": "A login was refused; nothing is changed.",
    "source.add": Shape.ADDED,
    "source.change": Shape.CHANGED,
    "source.dismiss": Shape.CHANGED,
    "source.remove": Shape.REMOVED,
    "source.scan": "It is looked at earlier; what is found is told by itself.",
    "state.delete": Shape.CHANGED,
    "state.edit": Shape.CHANGED,
    "state.import": "Each entry that is written is told by itself, as state.edit.",
    "step.activate": Shape.CHANGED,
    "step.end": Shape.CHANGED,
    "step.re-execute": "A copy is added, with the state of the step; the step is not changed.",
    "step.reschedule": Shape.CHANGED,
    "targets.drop": Shape.REMOVED,
    "targets.set": Shape.SET,
    "token.issue": Shape.ADDED,
    "token.revoke": Shape.CHANGED,
    "user.change": Shape.CHANGED,
    "user.create": Shape.ADDED,
    "user.link": _SECRET,
    "user.password": _SECRET,
    "view.change": Shape.CHANGED,
    "view.remove": Shape.REMOVED,
    "view.share": Shape.ADDED,
}


def fault(
    action: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> str | None:
    """What an entry of this action has too little or too much; None where it is complete."""
    if action not in ACTIONS:
        return f"the action {action!r} is in no list"
    has = tuple(name for name, one in (("before", before), ("after", after)) if one is not None)
    kind = ACTIONS[action]
    right = _HAS[kind] if isinstance(kind, Shape) else ((),)
    return None if has in right else f"{action} tells {has}, and has to tell one of {right}"


_HAS: Final[Mapping[Shape, tuple[tuple[str, ...], ...]]] = {
    Shape.CHANGED: (("before", "after"),),
    Shape.ADDED: (("after",),),
    Shape.REMOVED: (("before",),),
    Shape.SET: (("before", "after"), ("after",)),
}
