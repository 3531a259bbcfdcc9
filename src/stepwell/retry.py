"""How long a failed execution waits for its next try: attempt number -> delay."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

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
    InvalidInput : said when it is made, for a policy is first needed when something fails.
    """

    attempts: int | None = None
    delays: tuple[float, ...] | None = None
    jitter: float = 0.0
    on: tuple[type[BaseException], ...] = (BaseException,)

    def __post_init__(self) -> None:
        for name, suits, rule in _RULES:
            value = getattr(self, name)
            if not suits(value):
                raise InvalidInput(f"{name}={value!r} is of no use to a retry policy.", fix=rule)

    def allows(self, failures: int, error: BaseException) -> bool:
        """Whether the step may be tried again after `failures` exceptions in a row."""
        return isinstance(error, self.on) and (self.attempts is None or failures < self.attempts)

    def delay(self, failures: int) -> float:
        """Seconds until the next try, after `failures` (1 or more) exceptions in a row."""
        base = _cubic(failures) if self.delays is None else _listed(self.delays, failures)
        return base * (1.0 + self.jitter * random.random())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_attempts(value: Any) -> bool:
    return value is None or (_is_number(value) and value >= 1)


def _are_delays(value: Any) -> bool:
    return value is None or (
        isinstance(value, list | tuple) and all(_is_number(one) and one >= 0 for one in value)
    )


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _are_exceptions(value: Any) -> bool:
    kinds = value if isinstance(value, tuple) else (value,)
    return all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds)


_RULES: Final[tuple[tuple[str, Callable[[Any], bool], str], ...]] = (
    ("attempts", _are_attempts, "It is the number of executions: 1 or more."),
    ("delays", _are_delays, "It is a tuple of seconds, as in delays=(10, 60)."),
    ("jitter", _is_share, "It is a share of the delay, from 0.0 to 1.0."),
    ("on", _are_exceptions, "It is a tuple of exceptions, as in on=(TimeoutError,)."),
)


def _cubic(failures: int) -> float:
    return min(float(failures) ** 3, CEILING)


def _listed(delays: tuple[float, ...], failures: int) -> float:
    return delays[min(failures, len(delays)) - 1] if delays else 0.0


DEFAULT: Final = RetryPolicy()
"""No limit of attempts, min(n^3 s, 2 h) (R2)."""

NEVER: Final = RetryPolicy(attempts=1)
"""The first exception fails the step."""
