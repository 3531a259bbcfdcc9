"""The words that a step's row is described with: where it is, how it ended, how urgent it is."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from stepwell.given import member


class StepStatus(StrEnum):
    """The table that a step lives in."""

    READY = "ready"
    DONE = "done"
    FAILED = "failed"


class EndedAs(StrEnum):
    """How a step ended (R6)."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def status(self) -> StepStatus:
        """The table for steps that ended so."""
        return StepStatus.DONE if self in _GOOD_ENDS else StepStatus.FAILED


_GOOD_ENDS = (EndedAs.DONE, EndedAs.SKIPPED)


class Priority(IntEnum):
    """One of four bands; a batch is filled from them 8:4:2:1, so none starves (R18)."""

    URGENT = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


class OnConflict(StrEnum):
    """What adding does when a ready step of that name and unique key exists (R5).

    ``replace`` ends the existing step as cancelled, also while it executes.
    """

    ERROR = "error"
    IGNORE = "ignore"
    REPLACE = "replace"


class JoinPolicy(StrEnum):
    """What a join does when one of the steps that it waits for fails (R28).

    ``wait`` until a re-executed copy has taken the failed one's place, ``fail`` as well, or
    ``go on`` when the others have ended.
    """

    WAIT = "wait"
    FAIL = "fail"
    GO_ON = "go on"


def join_policy(word: JoinPolicy | str) -> JoinPolicy:
    """The policy of that name; raises `InvalidInput`."""
    return word if isinstance(word, JoinPolicy) else member("on_failure", word, JoinPolicy)


class Retention(IntEnum):
    """How long an ended step is kept: the class of partitions it goes to (R23)."""

    SHORT = 0
    STANDARD = 1
    LONG = 2
