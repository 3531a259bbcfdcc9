"""Durable steps inside your own program: what an embedder imports.

from stepwell import Engine, Registry, done, new_step
from stepwell.stores.sqlite import SQLiteStore

Each name is imported when it is first asked for: the start of a container pays for no more.
"""

from typing import TYPE_CHECKING

from stepwell.lazily import lazily
from stepwell.version import VERSION

if TYPE_CHECKING:
    from stepwell.engine import Engine, Member, StepClient
    from stepwell.errors import StepwellError
    from stepwell.outcome import KEEP, FailStep, Outcome, done, fail, rerun, skip
    from stepwell.registry import Registry
    from stepwell.retry import RetryPolicy
    from stepwell.step import (
        JoinPolicy,
        NewStep,
        OnConflict,
        Priority,
        Step,
        StepQuery,
        StepStatus,
        new_step,
    )

__getattr__ = lazily(
    __name__,
    {
        "stepwell.engine": "Engine Member StepClient",
        "stepwell.errors": "StepwellError",
        "stepwell.outcome": "KEEP FailStep Outcome done fail rerun skip",
        "stepwell.registry": "Registry",
        "stepwell.retry": "RetryPolicy",
        "stepwell.step": "JoinPolicy NewStep OnConflict Priority Step StepQuery StepStatus"
        " new_step",
    },
)

__version__ = VERSION

__all__ = [
    "KEEP",
    "Engine",
    "FailStep",
    "JoinPolicy",
    "Member",
    "NewStep",
    "OnConflict",
    "Outcome",
    "Priority",
    "Registry",
    "RetryPolicy",
    "Step",
    "StepClient",
    "StepQuery",
    "StepStatus",
    "StepwellError",
    "__version__",
    "done",
    "fail",
    "new_step",
    "rerun",
    "skip",
]
