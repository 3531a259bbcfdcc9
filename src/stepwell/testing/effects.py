"""What handlers did to the world outside the store, written down by the test's stand-ins.

    effects = Effects()

    def send_mail(to, text, key):  # in place of the real one
        effects.record("mail", to, key=key)

What is written here outlives an engine that is killed, as a mail does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeAlias

from stepwell.testing.life import Moment

Effect: TypeAlias = tuple[Hashable, ...]


class Effects:
    """What happened so far. Not to be shared by threads."""

    def __init__(self) -> None:
        self._seen: list[Effect] = []
        self._keys: set[Hashable] = set()
        self._witness: Callable[[Moment, Effect], None] | None = None

    def record(self, kind: str, *details: Hashable, key: Hashable = None) -> bool:
        """Something happened: its kind, and what tells it from others of its kind.

        Under `crash_everywhere` the engine is killed once just before and once just
        after each effect.

        Parameters
        ----------
        details : the same in each run of a flow; so no id that is made anew.
        key : what a service takes as an idempotency key: a second effect of the same
            kind and key does not happen.

        Returns
        -------
        Whether it happened.
        """
        effect = (kind, *details)
        self._tell(Moment.BEFORE_EFFECT, effect)
        is_new = key is None or (kind, key) not in self._keys
        if is_new:
            self._seen.append(effect)
            self._keys.add((kind, key))
        self._tell(Moment.AFTER_EFFECT, effect)
        return is_new

    def count(self, kind: str, *details: Hashable) -> int:
        """How often something happened whose kind and first details are these."""
        begin = (kind, *details)
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
