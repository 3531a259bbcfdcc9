"""Which thing of an old manifest is which of the new one: renames, and what has moved."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stepwell.server.reviews.schemas import essence, sound

Entry = Mapping[str, Any]

_ALIKE: Final = 0.75
"""From this share of equal operations on, a workflow is taken for a renamed one."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """`pairs` has old and new name of what is the same thing; the rest was added or removed."""

    pairs: tuple[tuple[str, str], ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]


def align_workflows(
    before: Mapping[str, Entry], after: Mapping[str, Entry], known: Mapping[str, str]
) -> Alignment:
    """Pair workflows by name, then those that were renamed, by class or by operations.

    `known` has the old name of a new one where it need not be guessed.
    """
    sure = [(old, new) for new, old in known.items() if old in before and new in after]
    rest = _aligned(
        {name: one for name, one in before.items() if name not in {old for old, _ in sure}},
        {name: one for name, one in after.items() if name not in {new for _, new in sure}},
        _workflow_likeness,
    )
    return Alignment((*sure, *rest.pairs), rest.added, rest.removed)


def align_operations(before: Sequence[Entry], after: Sequence[Entry]) -> Alignment:
    """Pair operations by name, then those that were renamed, by what they take and give."""
    old = {one["name"]: {**one, "place": place} for place, one in enumerate(before)}
    new = {one["name"]: {**one, "place": place} for place, one in enumerate(after)}
    return _aligned(old, new, _operation_likeness)


def moved(old_order: Sequence[str], new_order: Sequence[str]) -> set[str]:
    """Names that stand in another place among those that both orders have.

    The fewest that explain the new order: all but a longest rising sequence.
    """
    places = {name: place for place, name in enumerate(old_order)}
    shared = [name for name in new_order if name in places]
    kept = _longest_rising([places[name] for name in shared])
    return {name for name in shared if places[name] not in kept}


def _aligned(before: Mapping[str, Entry], after: Mapping[str, Entry], likeness: Any) -> Alignment:
    pairs = [(name, name) for name in before if name in after]
    gone = [name for name in before if name not in after]
    new = [name for name in after if name not in before]
    scored = [(likeness(before[one], after[other]), one, other) for one in gone for other in new]
    for score, one, other in sorted(scored, key=lambda item: -item[0]):
        if score >= _ALIKE and one in gone and other in new and not _doubtful(scored, score, one):
            pairs.append((one, other))
            gone.remove(one)
            new.remove(other)
    return Alignment(tuple(pairs), tuple(new), tuple(gone))


def _doubtful(scored: list[tuple[float, str, str]], score: float, name: str) -> bool:
    """Two candidates that fit equally well are no rename that a program may assert."""
    return sum(1 for value, one, _ in scored if one == name and value == score) > 1


def _workflow_likeness(old: Entry, new: Entry) -> float:
    if old.get("class") == new.get("class") is not None:
        return 2.0
    alike = _operations_likeness(old.get("operations", ()), new.get("operations", ()))
    return alike if _parameters(old) == _parameters(new) else alike - 0.1


def _operations_likeness(old: Sequence[Entry], new: Sequence[Entry]) -> float:
    """The share of operations that are the same in both, those that were renamed counted less."""
    before = {one["name"]: one for one in old}
    after = {one["name"]: one for one in new}
    pairs = align_operations(old, new).pairs
    score = sum(_pair_likeness(before[one], after[other]) for one, other in pairs)
    return score / max(len(before), len(after), 1)


def _pair_likeness(old: Entry, new: Entry) -> float:
    same = _interface(old) == _interface(new)
    if old["name"] == new["name"]:
        return 1.0 if same else 0.5
    return 0.8 if _informative(old) else 0.4


def _parameters(workflow: Entry) -> list[str]:
    schema: Any = workflow.get("parameters")
    return sorted(schema.get("properties", {})) if sound(schema) else []


def _operation_likeness(old: Entry, new: Entry) -> float:
    """1 for the same interface in the same place; less for one of both."""
    same_place = old["place"] == new["place"]
    if _interface(old) != _interface(new):
        return 0.0
    return (0.6 if _informative(old) else 0.3) + (0.5 if same_place else 0.2)


def _informative(operation: Entry) -> bool:
    return bool(operation.get("inputs")) or bool(operation.get("returns"))


def _interface(operation: Entry) -> str:
    given = operation.get("inputs", {})
    inputs = {name: essence(one["schema"]) for name, one in sorted(given.items())}
    return repr((inputs, essence(operation.get("returns"))))


def _longest_rising(places: Sequence[int]) -> set[int]:
    """The values of a longest strictly rising subsequence (patience sorting)."""
    tails: list[int] = []
    before: dict[int, int | None] = {}
    for place in places:
        pile = bisect_left(tails, place)
        before[place] = tails[pile - 1] if pile else None
        tails[pile : pile + 1] = [place]
    kept: set[int] = set()
    current = tails[-1] if tails else None
    while current is not None:
        kept.add(current)
        current = before[current]
    return kept
