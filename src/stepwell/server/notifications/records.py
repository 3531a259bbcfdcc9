"""What happened, as other rooms say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID


class Kind(StrEnum):
    """What people can be told of."""

    FAILURE = "failure"
    RECOVERY = "recovery"
    LATE = "late"
    TOO_LONG = "too-long"
    TARGET_MISSED = "target-missed"
    REVIEW_WAITING = "review-waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Something that happened, and that somebody may want to hear of.

    Parameters
    ----------
    kind : what it is; rules choose by it.
    group, workflow : where; a workflow of None is the whole group.
    sentence : what is said, in plain text: one sentence that names the thing. It is
        escaped where it goes into HTML.
    run_id, schedule_id, discovery_id : what it happened to, where there is one.
    fingerprint : of its cause. Occasions of the same kind and fingerprint are told as one;
        without it, those of the same kind, group, workflow, schedule and discovery.
    details : more to know, as JSON; never a secret.
    labels : of the run, for rules that choose by them.
    """

    kind: Kind
    group: str
    workflow: str | None = None
    sentence: str
    run_id: UUID | None = None
    schedule_id: UUID | None = None
    discovery_id: UUID | None = None
    fingerprint: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def cause(self) -> str:
        """What groups occasions into one message: at most 300 characters."""
        if self.fingerprint is not None:
            return self.fingerprint[:300]
        where = (self.group, self.workflow, self.schedule_id, self.discovery_id)
        return f"{self.kind}:{'/'.join(str(part) for part in where if part is not None)}"[:300]
