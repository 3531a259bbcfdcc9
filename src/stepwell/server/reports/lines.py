"""The unified diff of two texts, in bounded time: reports hold what operations write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Any, Final

MOST: Final = 2_000_000
"""So many pairs of equal lines are looked at: a few seconds at the most, and mostly far less."""
_CONTEXT: Final = 3


class _TooMuch(Exception):
    """Lines that are there again and again cost more than they are worth."""


class _Matcher(SequenceMatcher[str]):
    """As it is, but it counts what it will look at before it looks."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        super().__init__(None, old, new)
        found: Any = self.b2j  # type: ignore[attr-defined] # the standard library says what it is
        self._until = [0, *accumulate(1 + len(found.get(line, ())) for line in old)]
        self._left = MOST

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> Any:
        """The longest piece that both have."""
        self._left -= self._until[-1 if ahi is None else ahi] - self._until[alo]
        if self._left < 0:
            raise _TooMuch
        return super().find_longest_match(alo, ahi, blo, bhi)


def unified(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """The lines of the diff. Where to find the shortest one would take too long, all that lies
    between what both begin and end with is one change."""
    matcher = _Matcher(old, new)
    try:
        matcher.get_opcodes()
    except _TooMuch:
        matcher.opcodes = list(_plain(old, new))  # type: ignore[attr-defined] # see above
    for place, group in enumerate(matcher.get_grouped_opcodes(_CONTEXT)):
        yield from () if place else ("--- before", "+++ after")
        yield from _hunk(old, new, group)


def _plain(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    begin, end, least = 0, 0, min(len(old), len(new))
    while begin < least and old[begin] == new[begin]:
        begin += 1
    while end < least - begin and old[-1 - end] == new[-1 - end]:
        end += 1
    o, n = len(old) - end, len(new) - end
    yield "equal", 0, begin, 0, begin
    yield "replace", begin, o, begin, n
    yield "equal", o, len(old), n, len(new)


def _hunk(
    old: Sequence[str], new: Sequence[str], group: Sequence[tuple[str, int, int, int, int]]
) -> Iterator[str]:
    first, last = group[0], group[-1]
    yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@"
    for tag, i1, i2, j1, j2 in group:
        if tag == "equal":
            yield from (f" {line}" for line in old[i1:i2])
            continue
        yield from (f"-{line}" for line in old[i1:i2])
        yield from (f"+{line}" for line in new[j1:j2])


def _range(start: int, stop: int) -> str:
    """As `diff` writes it: from 1 on, and a length of 1 is left out."""
    length = stop - start
    begin = start + 1 if length else start
    return f"{begin}" if length == 1 else f"{begin},{length}"
