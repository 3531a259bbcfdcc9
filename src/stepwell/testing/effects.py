"""What handlers did to the world outside the store, written down by the test's stand-ins.

    effects = Effects()

    def send_mail(to, text, key):  # in place of the real one
        effects.record("mail", to, key=key)

What is written here outlives an engine that is killed, as a mail does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeAlias

from stepwell.testing.life import Moment

Effect: TypeAlias = tuple[Any, ...]


class Effects:
    """What happened so far. Not to be shared by threads."""

    def __init__(self) -> None:
        self._seen: list[Effect] = []
        self._keys: set[Hashable] = set()
        self._witness: Callable[[Moment, Effect], None] | None = None

    def record(self, kind: str, *details: object, key: Hashable = None) -> bool:
        """Something happened: its kind, and what tells it from others of its kind.

        Under `crash_everywhere` the engine is killed once just before and once just
        after each effect.

        Parameters
        ----------
        details : the same in each run of a flow; so no id that is made anew. Lists are kept as
            tuples, and dicts as sorted tuples of pairs: as they are now.
        key : what a service takes as an idempotency key: a second effect of the same
            kind and key does not happen.

        Returns
        -------
        Whether it happened.
        """
        effect = (kind, *map(still, details))
        self._tell(Moment.BEFORE_EFFECT, effect)
        is_new = key is None or (kind, key) not in self._keys
        if is_new:
            self._seen.append(effect)
            self._keys.add((kind, key))
        self._tell(Moment.AFTER_EFFECT, effect)
        return is_new

    def count(self, kind: str, *details: object) -> int:
        """How often something happened whose kind and first details are these."""
        begin = (kind, *map(still, details))
        return sum(effect[: len(begin)] == begin for effect in self._seen)

    def begin(self, witness: Callable[[Moment, Effect], None] | None = None) -> None:
        """Forget all. From now on `witness` is told before and after each effect."""
        self._seen.clear()
        self._keys.clear()
        self._witness = witness

    def __call__(self) -> list[Effect]:
        """All effects so far, in order."""
        return list(self._seen)

    def _tell(self, moment: Moment, effect: Effect) -> None:
        if self._witness is not None:
            self._witness(moment, effect)


def still(value: Any) -> Hashable:
    """The value as it is now, to be compared and counted, whatever becomes of it later."""
    if isinstance(value, dict):
        return tuple(sorted(((still(key), still(one)) for key, one in value.items()), key=repr))
    if isinstance(value, list | tuple):
        return tuple(map(still, value))
    if isinstance(value, set | frozenset):
        return frozenset(map(still, value))
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value  # type: ignore[no-any-return] # it has a hash
