"""Kill an engine everywhere: once at each commit and at each boundary of each step of a flow.

    report = crash_everywhere(flow, registry, effects=effects)
    report.assert_effects_once(except_for={"v1/send-mail"})

The flow is run again for each place. There the engine is gone as if its process had
died; another one buries it, runs what it left, and the flow goes on. What the world
looks like in the end is compared with a run in which nobody died.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

from stepwell.errors import InvalidInput
from stepwell.registry import Registry
from stepwell.step import Step, StepQuery
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Store
from stepwell.testing.clock import VirtualClock
from stepwell.testing.crash_report import Crash, CrashReport, Place, Seen
from stepwell.testing.effects import Effect, Effects, still
from stepwell.testing.life import Killed, Moment
from stepwell.testing.virtual import VirtualEngine

Flow: TypeAlias = Callable[[VirtualEngine], object]
Probe: TypeAlias = Callable[[], Iterable[object]]

MOST_PLACES: Final = 2_000
"""A flow of more places takes long: each of them runs it once."""
_PAGE: Final = 500
_INSIDE: Final = (Moment.BEFORE_EFFECT, Moment.AFTER_EFFECT)
_BEGUN: Final = (*_INSIDE, Moment.ENDED)


class FlowUnsteady(InvalidInput):
    """Two runs of a flow without a crash were not alike, so that no crash can be compared."""

    code = "flow-unsteady"


def crash_everywhere(
    flow: Flow,
    registry: Registry,
    *,
    effects: Effects | Probe | None = None,
    store: Callable[[VirtualClock], Store] = MemoryStore,
    queues: tuple[str, ...] = ("default",),
    most_places: int = MOST_PLACES,
) -> CrashReport:
    """Run a flow once for each place at which an engine can die, kill it there, and compare.

    Parameters
    ----------
    flow : is given an engine with nothing in its store, sets up whatever world the handlers
        need, and adds steps; it may drain, advance and activate. What is due at its end is
        drained. It may assert what must be so in the end, whoever died.
    registry : the handlers.
    effects : what the handlers record their effects in, or a function that reads the world
        at the end of a run and gives its effects, each as often as it is there.
    store : makes a new, empty store with the given clock; in memory by default.
    queues : as in `Engine`.
    most_places : refuse a flow with more places than this.

    Raises
    ------
    FlowUnsteady : two runs without a crash differ in their steps or effects.
    InvalidInput : the flow ran no step, or has too many places.
    Runaway : the flow does not come to rest.
    BaseException : what the flow raises; a note says where the engine was killed.
    """
    stage = _Stage(flow, registry, effects, store, queues)
    calm, again = stage.run(None), stage.run(None)
    _check_steady(calm, again)
    _check_places(len(calm.places), most_places)
    crashes = [_compared(calm, stage.run(at), at) for at in range(len(calm.places))]
    return CrashReport(calm.seen, tuple(crashes), has_effects=effects is not None)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of the flow: the places that were passed, and what was there in the end."""

    places: list[Place]
    seen: Seen
    repeated: str | None = None


class _Killer:
    """Watches a run, and kills the engine at one place of it.

    Parameters
    ----------
    at : the number of the place; None kills nobody.
    """

    def __init__(self, at: int | None) -> None:
        self.places: list[Place] = []
        self.repeated: str | None = None
        self._at, self._dying = at, False
        self._step: Step | None = None
        self._interrupted: UUID | None = None

    def step(self, moment: Moment, step: Step) -> None:
        """The engine has come to a moment of a step."""
        self._revived(moment, step)
        self._step = step
        self._pass(Place(moment, step.name), step)

    def effect(self, moment: Moment, effect: Effect) -> None:
        """A handler has come to an effect; whatever is recorded between steps is no place."""
        if self._step is not None:
            self._pass(Place(moment, self._step.name, effect), self._step)

    def retire(self) -> None:
        """The flow is over: what happens to the world now is looked at, not attacked."""
        self._step, self._at, self._dying = None, None, False

    def _pass(self, place: Place, step: Step) -> None:
        if self._dying:  # a handler caught `Killed`, or comes here in a `finally`: no process does
            raise Killed
        self.places.append(place)
        if place.moment is Moment.SETTLED:
            self._step = None
        if self._at == len(self.places) - 1:
            self._dying = place.moment in _INSIDE
            self._interrupted = step.id if place.moment in _BEGUN else None
            raise Killed

    def _revived(self, moment: Moment, step: Step) -> None:
        if moment is Moment.CLAIMING:  # by the next engine
            self._dying = False
        if moment is Moment.STARTING and step.id == self._interrupted:
            self.repeated = step.name


class _Stage:
    """Everything that a run of the flow needs, made anew for each."""

    def __init__(
        self,
        flow: Flow,
        registry: Registry,
        effects: Effects | Probe | None,
        store: Callable[[VirtualClock], Store],
        queues: tuple[str, ...],
    ) -> None:
        self._flow, self._registry, self._store, self._queues = flow, registry, store, queues
        self._effects: Effects | Probe = _nothing if effects is None else effects

    def run(self, at: int | None) -> _Run:
        """Run the flow; kill the engine at the place of this number."""
        clock, killer = VirtualClock(), _Killer(at)
        if isinstance(self._effects, Effects):
            self._effects.begin(killer.effect)
        with closing(self._store(clock)) as store, self._engine(store, clock, killer) as engine:
            try:
                self._play(engine)
            except BaseException as error:
                if at is not None and at < len(killer.places):
                    error.add_note(f"The engine was killed {killer.places[at]}.")
                raise
            finally:
                killer.retire()
            seen = Seen(Counter(map(still, self._effects())), _ends(engine))
        return _Run(killer.places, seen, killer.repeated)

    def _engine(self, store: Store, clock: VirtualClock, killer: _Killer) -> VirtualEngine:
        return VirtualEngine(
            self._registry, store=store, clock=clock, queues=self._queues, witness=killer.step
        )

    def _play(self, engine: VirtualEngine) -> None:
        self._flow(engine)
        engine.drain()


def _nothing() -> Iterable[object]:
    return ()


def _ends(engine: VirtualEngine) -> Counter[tuple[str, str]]:
    """How many steps of each name ended in which way."""
    ends, after = Counter[tuple[str, str]](), None
    while page := engine.search(StepQuery(after=after, limit=_PAGE)):
        ends.update((step.name, step.ended_as or _waiting(step)) for step in page)
        after = page[-1].id
    return ends


def _waiting(step: Step) -> str:
    return "waiting for a retry" if step.failure_count else "ready"


def _compared(calm: _Run, crashed: _Run, at: int) -> Crash:
    return Crash(
        place=calm.places[at],
        repeated=crashed.repeated,
        doubled=crashed.seen.effects - calm.seen.effects,
        lost=calm.seen.effects - crashed.seen.effects,
        ended_otherwise=_difference(crashed.seen.ends, calm.seen.ends),
    )


def _difference(these: Counter[Any], those: Counter[Any]) -> dict[Any, int]:
    difference = Counter(these)
    difference.subtract(those)
    return {key: number for key, number in difference.items() if number}


def _check_steady(calm: _Run, again: _Run) -> None:
    if (calm.places, calm.seen) != (again.places, again.seen):
        raise FlowUnsteady(
            "Two runs of the flow without a crash differ.",
            why=_unlike(calm, again),
            fix="Let the flow begin with the same world each time; record no ids that are new.",
        )


def _unlike(calm: _Run, again: _Run) -> str:
    effects = _difference(again.seen.effects, calm.seen.effects)
    ends = _difference(again.seen.ends, calm.seen.ends)
    if effects or ends:
        return f"What the second had more or fewer of than the first: {effects | ends}."
    return f"They passed {len(calm.places)} and {len(again.places)} places, or others."


def _check_places(number: int, most: int) -> None:
    if number == 0:
        raise InvalidInput(
            "The flow ran no step, so there is no place to die at.",
            fix="Add a step that is due, of a name that the registry handles.",
        )
    if number > most:
        raise InvalidInput(
            f"The flow has {number:,} places to die at, more than {most:,}.",
            why="It would be run once for each.",
            fix="Make the flow shorter, or raise most_places.",
        )
