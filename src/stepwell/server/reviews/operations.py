"""Changes of a workflow's operations: added, removed, renamed, moved, and changed inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stepwell.server.reviews import contracts, gaps
from stepwell.server.reviews.aligning import align_operations, moved
from stepwell.server.reviews.changes import Category, Change, Impact, Kind, pointer
from stepwell.server.reviews.fields import field_changes

Entry = Mapping[str, Any]


def operation_changes(
    workflow: str, old: Sequence[Entry], new: Sequence[Entry]
) -> Iterator[Change]:
    """What happened to the operations of one workflow, in the order in which they run."""
    alignment = align_operations(old, new)
    before = {one["name"]: one for one in old}
    after = {one["name"]: one for one in new}
    names = dict(alignment.pairs)
    for name in alignment.removed:
        yield _operation_gone(workflow, before[name])
    for name in alignment.added:
        yield _operation_new(workflow, after[name], new)
    shifted = moved([names.get(one, one) for one in before], list(after))
    for was, name in alignment.pairs:
        if was != name:
            yield _operation_renamed(workflow, was, name)
        if name in shifted:
            yield _operation_moved(workflow, name, list(before).index(was), list(after))
        yield from _operation(workflow, before[was], after[name], names)


def _operation(workflow: str, old: Entry, new: Entry, names: Mapping[str, str]) -> Iterator[Change]:
    path = ("workflows", workflow, "operations", new["name"])
    yield from gaps.found(path, old, new, gaps.OPERATION)
    yield from field_changes(path, old, new)
    if "inputs" in old and "inputs" in new:
        yield from contracts.input_changes(path, old["inputs"], new["inputs"], names)
    if gaps.comparable(old, new, "returns"):
        yield from contracts.return_changes(path, old["returns"], new["returns"])


def _operation_gone(workflow: str, entry: Entry) -> Change:
    return Change(
        path=pointer("workflows", workflow, "operations", entry["name"]),
        kind=Kind.REMOVED,
        category=Category.OPERATIONS,
        impact=Impact.BEHAVIOUR,
        sentence=f"The operation {entry['name']} is not run any more.",
        before=entry,
    )


def _operation_new(workflow: str, entry: Entry, order: Sequence[Entry]) -> Change:
    names = [one["name"] for one in order]
    return Change(
        path=pointer("workflows", workflow, "operations", entry["name"]),
        kind=Kind.ADDED,
        category=Category.OPERATIONS,
        impact=Impact.BEHAVIOUR,
        sentence=f"The operation {entry['name']} is new; {_place(names, entry['name'])}.",
        after=entry,
    )


def _operation_renamed(workflow: str, old: str, new: str) -> Change:
    return Change(
        path=pointer("workflows", workflow, "operations", new, "name"),
        kind=Kind.RENAMED,
        category=Category.OPERATIONS,
        impact=Impact.DATA,
        sentence=f"The operation {old} seems to be called {new} now.",
        before=old,
        after=new,
    )


def _operation_moved(workflow: str, name: str, was: int, order: list[str]) -> Change:
    return Change(
        path=pointer("workflows", workflow, "operations", name, "order"),
        kind=Kind.MOVED,
        category=Category.OPERATIONS,
        impact=Impact.BEHAVIOUR,
        sentence=f"The operation {name} has moved; {_place(order, name)}.",
        before=was + 1,
        after=order.index(name) + 1,
    )


def _place(order: Sequence[str], name: str) -> str:
    place = order.index(name)
    return f"it runs after {order[place - 1]}" if place else "it runs first"
