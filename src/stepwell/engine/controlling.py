"""The user's handle on queues and keys: pause and resume, limits and rates (R20)."""

from __future__ import annotations

import os
import socket
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any, Final

from stepwell.errors import InvalidInput
from stepwell.given import of_type
from stepwell.step import check_limits
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.protocol import Transaction

SHORTEST: Final = 1e-6
"""Seconds that a rate's period has at least."""


class Controlling(ABC):
    """What a program says about queues and keys, on any store but a container's.

    `by` is who says so, for people to read; host and process id by default.
    """

    def pause(self, queue: str, reason: str, *, by: str | None = None) -> None:
        """Let no engine claim from the queue, until `resume`.

        This engine obeys at once, others with their next beat, a second later at most. What
        is claimed already runs on; engines of one flow are not concerned (R36).
        """
        if not queue or not reason:
            raise InvalidInput(
                "A pause names its queue and its reason.",
                fix="Say why: whoever finds the queue standing still will ask.",
            )
        self._set(Control(kind=ControlKind.PAUSE, key=queue, reason=reason), by)

    def resume(self, queue: str) -> bool:
        """Let engines claim from the queue again; False if it was not paused."""
        return self._drop(ControlKind.PAUSE, queue)

    def limit(
        self, key: str, slots: int, *, reason: str | None = None, by: str | None = None
    ) -> None:
        """At most so many steps with this limit key run at once, whatever the steps say.

        Parameters
        ----------
        slots : 0 lets none run. If more run already they go on; only no others begin.
        """
        check_limits(key, None, None)
        _check("slots", slots, 0, "a whole number that is not negative", int)
        self._set(Control(kind=ControlKind.LIMIT, key=key, slots=slots, reason=reason), by)

    def drop_limit(self, key: str) -> bool:
        """What the steps say about their slots counts again; False if there was no limit."""
        return self._drop(ControlKind.LIMIT, key)

    def rate(
        self,
        key: str,
        count: int,
        *,
        per: float,
        reason: str | None = None,
        by: str | None = None,
    ) -> None:
        """Steps with this rate key begin no faster than that, evenly: one in `per / count`.

        Retries and reruns count, too. Intervals below 0.1 s are kept on average: an engine
        may begin at once what the rate allowed within the last 0.1 s.

        Parameters
        ----------
        per : the period in seconds.
        """
        check_limits(None, None, key)
        _check("count", count, 1, "a whole number, at least 1", int)
        _check("per", per, SHORTEST, "a number of seconds above 0", int, float)
        control = Control(
            kind=ControlKind.RATE, key=key, slots=count, period=float(per), reason=reason
        )
        self._set(control, by)

    def drop_rate(self, key: str) -> bool:
        """Steps with this rate key begin as they come again; False if there was no rate."""
        return self._drop(ControlKind.RATE, key)

    def controls(self) -> list[Control]:
        """Everything that was said so and holds, by kind and key."""
        with self._transaction(reads=True) as tx:
            return tx.controls()

    def _set(self, control: Control, by: str | None) -> None:
        who = by or f"{socket.gethostname()}:{os.getpid()}"
        with self._transaction() as tx:
            tx.set_control(control.changed(who))

    def _drop(self, kind: ControlKind, key: str) -> bool:
        with self._transaction() as tx:
            return tx.drop_control(kind, key)

    @abstractmethod
    def _transaction(
        self, connection: Any = None, *, reads: bool = False
    ) -> AbstractContextManager[Transaction]:
        """A transaction on the store."""


def _check(name: str, value: float, least: float, what: str, *kinds: type) -> None:
    of_type(name, value, kinds, f"Give {what}.")
    if value < least:
        raise InvalidInput(f"{name}={value} cannot be used.", fix=f"Give {what}.")
