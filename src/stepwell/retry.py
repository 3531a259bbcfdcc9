"""How long a failed execution waits for its next try: attempt number -> delay."""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from stepwell import given
from stepwell.errors import InvalidInput

CEILING: Final = 2 * 60 * 60.0
"""The longest delay of the default, in seconds (R2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When an exception puts a step back, and for how long.

    Parameters
    ----------
    attempts : executions that may fail in a row before the step fails; None is no limit.
    delays : seconds before each retry; the last one repeats. None is `min(n^3, 7200)`.
    jitter : up to this share of the delay is added at random, 0.0 to 1.0.
    on : the exceptions that are retried; others fail the step at once.

    Raises
    ------
    InvalidInput : a policy that could not be followed when it is needed.
    """

    attempts: int | None = None
    delays: tuple[float, ...] | None = None
    jitter: float = 0.0
    on: tuple[type[BaseException], ...] = (BaseException,)

    def __post_init__(self) -> None:
        given.normalised(self, _CHECKS)

    def allows(self, failures: int, error: BaseException) -> bool:
        """Whether the step may be tried again after `failures` exceptions in a row."""
        return isinstance(error, self.on) and (self.attempts is None or failures < self.attempts)

    def delay(self, failures: int) -> float:
        """Seconds until the next try, after `failures` (1 or more) exceptions in a row."""
        base = _cubic(failures) if self.delays is None else _listed(self.delays, failures)
        return base * (1.0 + self.jitter * random.random())


def _attempts(what: str, value: Any) -> None:
    fix = "Give a number of executions, at least 1; None is no limit."
    given.of_type(what, value, int, fix)
    if value < 1:
        raise InvalidInput(f"{what}={value} are no attempts.", fix=fix)


def _delays(what: str, value: Any) -> tuple[float, ...]:
    fix = "Give a tuple of seconds, none below 0: delays=(1, 10, 60)."
    given.of_type(what, value, (tuple, list), fix)
    for delay in value:
        given.of_type(f"one of {what}", delay, (int, float), fix)
        if not 0 <= delay < inf:
            raise InvalidInput(f"{delay} is no delay.", fix=fix)
    return tuple(value)


def _jitter(what: str, value: Any) -> None:
    fix = "Give a share of the delay, 0.0 to 1.0."
    given.of_type(what, value, (int, float), fix)
    if not 0 <= value <= 1:
        raise InvalidInput(f"{what}={value} is no share.", fix=fix)


def _exceptions(what: str, value: Any) -> tuple[type[BaseException], ...]:
    kinds = tuple(value) if isinstance(value, tuple | list) else (value,)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise InvalidInput(
                f"{what} has {kind!r}, which is no class of exceptions.",
                fix="Give a tuple of classes: on=(ConnectionError, TimeoutError).",
            )
    return kinds


_CHECKS: Final = {
    "attempts": _attempts,
    "delays": _delays,
    "jitter": _jitter,
    "on": _exceptions,
}


def _cubic(failures: int) -> float:
    return min(float(failures) ** 3, CEILING)


def _listed(delays: tuple[float, ...], failures: int) -> float:
    return delays[min(failures, len(delays)) - 1] if delays else 0.0


DEFAULT: Final = RetryPolicy()
"""No limit of attempts, min(n^3 s, 2 h) (R2)."""

NEVER: Final = RetryPolicy(attempts=1)
"""The first exception fails the step."""
