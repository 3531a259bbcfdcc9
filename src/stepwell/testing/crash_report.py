"""What crashes did to a flow, to read and to assert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stepwell.testing.life import Moment


@dataclass(frozen=True, slots=True)
class Place:
    """Where the engine was killed: the moment, the step's name, and the effect at hand."""

    moment: Moment
    step: str
    effect: Hashable = None

    def __str__(self) -> str:
        where = f"{self.moment} ({self.step})"
        return where if self.effect is None else f"{where}: {_shown(self.effect)}"


@dataclass(frozen=True, slots=True)
class Seen:
    """The world at the end of a run: each effect, and each (name, end) of a step, with its count.

    A step that has not ended counts as 'ready' or 'waiting for a retry'.
    """

    effects: Counter[Any] = field(default_factory=Counter)
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """One run in which the engine was killed, compared with a run without a crash.

    Parameters
    ----------
    place : where it was killed.
    repeated : the handler that ran once more for the same step, or None.
    doubled : effects that happened more often than without the crash, and by how much.
    lost : effects that happened less often, and by how much.
    ended_otherwise : (name, end) of steps, and how many more ended so; negative if fewer.
    """

    place: Place
    repeated: str | None
    doubled: Counter[Any]
    lost: Counter[Any]
    ended_otherwise: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class CrashReport:
    """All crashes of a flow. `str` of it is for people.

    Parameters
    ----------
    calm : the world at the end of a run without a crash.
    crashes : one for each place at which an engine can die, in the order of the flow.
    has_effects : whether effects were looked at.
    """

    calm: Seen
    crashes: tuple[Crash, ...]
    has_effects: bool = True

    @property
    def repeated(self) -> frozenset[str]:
        """The handlers that ran more than once for one step."""
        return frozenset(crash.repeated for crash in self.crashes if crash.repeated)

    @property
    def doubled(self) -> frozenset[str]:
        """The handlers at which a crash doubled an effect."""
        return frozenset(crash.place.step for crash in self.crashes if crash.doubled)

    @property
    def lost(self) -> frozenset[str]:
        """The handlers at which a crash lost an effect."""
        return frozenset(crash.place.step for crash in self.crashes if crash.lost)

    def assert_effects_once(self, except_for: Collection[str] = ()) -> None:
        """Whatever died, each effect happened as often as without a crash.

        Parameters
        ----------
        except_for : names of steps at which a crash may double or lose effects.

        Raises
        ------
        AssertionError : an effect was doubled or lost, with this report as its message; or
            no effect was seen at all, so that nothing was tested.
        """
        __tracebackhide__ = True
        if not self.calm.effects:
            raise AssertionError(_blind(self.has_effects))
        self._forbid(except_for, lambda crash: crash.doubled or crash.lost)

    def assert_same_ends(self, except_for: Collection[str] = ()) -> None:
        """Whatever died, as many steps of each name ended as without a crash, the same way.

        Raises
        ------
        AssertionError : a step failed, or waits, that was done without a crash.
        """
        __tracebackhide__ = True
        self._forbid(except_for, lambda crash: crash.ended_otherwise)

    def __str__(self) -> str:
        names = dict.fromkeys(crash.place.step for crash in self.crashes)
        return "\n".join(
            [
                f"The engine was killed at {len(self.crashes)} places of {', '.join(names)}.",
                f"Ran again for the same step: {', '.join(sorted(self.repeated)) or 'none'}.",
                *self._harms(),
                self._harmless(),
            ]
        ).rstrip()

    def _forbid(self, except_for: Collection[str], harm: Callable[[Crash], object]) -> None:
        __tracebackhide__ = True
        if any(harm(crash) and crash.place.step not in except_for for crash in self.crashes):
            raise AssertionError(str(self))

    def _harms(self) -> Iterator[str]:
        """What each crash did; those of one kind, at steps that were executed often, once."""
        alike = Counter((str(crash.place), *self._harm(crash)) for crash in self.crashes)
        for (place, *harm), number in alike.items():
            if harm:
                yield f"Killed {place}{f' ({number} crashes)' if number > 1 else ''}"
                yield from harm

    def _harm(self, crash: Crash) -> list[str]:
        return [
            *(f"  doubled: {self._instead(what, n)}" for what, n in crash.doubled.items()),
            *(f"  lost: {self._instead(what, -n)}" for what, n in crash.lost.items()),
            *(f"  steps: {_ended(*end, n)}" for end, n in crash.ended_otherwise.items()),
        ]

    def _instead(self, what: Any, more: int) -> str:
        usual = self.calm.effects[what]
        return f"{_shown(what)} happened {_times(usual + more)} instead of {_times(usual)}"

    def _harmless(self) -> str:
        if not self.has_effects:
            return "No effects were looked at."
        return "" if self.doubled or self.lost else "No effect was doubled or lost."


def _ended(name: str, end: str, more: int) -> str:
    return f"{abs(more)} {'more' if more > 0 else 'fewer'} of {name} {end}"


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def _shown(effect: Hashable) -> str:
    return " ".join(map(str, effect)) if isinstance(effect, tuple) else str(effect)


def _blind(has_effects: bool) -> str:
    if has_effects:
        return "The flow had no effect that could be doubled or lost. Record some."
    return "No effects were looked at. Call crash_everywhere(..., effects=...)."
