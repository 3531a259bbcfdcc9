"""Two manifests -> what changed, as data. Pure: no database, no clock.

Workflows are keyed by name, so that order in the source means nothing there;
operations run in order, so their order is compared. Each change says in a
sentence what it means. Everything is bounded, and what was cut is said.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from stepwell.server.reviews import contracts, gaps
from stepwell.server.reviews.aligning import align_workflows
from stepwell.server.reviews.cadence import schedule_changes
from stepwell.server.reviews.changes import (
    Category,
    Change,
    Difference,
    Impact,
    Kind,
    Standing,
    WorkflowChanges,
    pointer,
)
from stepwell.server.reviews.fields import field_changes
from stepwell.server.reviews.operations import operation_changes
from stepwell.server.reviews.redaction import veiled

Entry = Mapping[str, Any]

Digests: TypeAlias = tuple[Mapping[str, str], Mapping[str, str]]

MAX_CHANGES: Final = 500
"""At most so many changes are listed, over all workflows."""

MAX_VALUE: Final = 4000
"""A value before or after is shown up to so many characters of JSON."""


def compare(before: Mapping[str, Entry], after: Mapping[str, Entry], **how: Any) -> Difference:
    """As `compared`, bounded for showing it."""
    return bounded(compared(before, after, **how))


def compared(
    before: Mapping[str, Entry],
    after: Mapping[str, Entry],
    *,
    at: datetime,
    digests: Digests | None = None,
    aliases: Mapping[str, str] | None = None,
) -> Difference:
    """What `after` changes of `before`, all of it.

    Parameters
    ----------
    before, after : workflow name -> manifest entry.
    at : the instant from which fires of schedules are counted.
    digests : each workflow's digest before and after; without them nothing is said
        about code.
    aliases : new name -> old name, of renames that are known.
    """
    alignment = align_workflows(before, after, aliases or {})
    found = [
        *(_pair(before[old], after[new], at, digests) for old, new in alignment.pairs),
        *(_added(after[name], at) for name in alignment.added),
        *(_removed(before[name]) for name in alignment.removed),
    ]
    found.sort(key=lambda one: one.workflow)
    counts = Counter(one.standing for one in found)
    return Difference(workflows=tuple(found), counts=dict(counts))


def _pair(old: Entry, new: Entry, at: datetime, digests: Digests | None) -> WorkflowChanges:
    renamed = old["name"] != new["name"]
    # The first page asks at each look, of whole groups in which next to nothing differs.
    changes = () if old == new else tuple(_workflow(old, new, at))
    standing = Standing.RENAMED if renamed else Standing.CHANGED if changes else Standing.SAME
    if standing is Standing.SAME and digests is not None:
        pair = digests[0].get(old["name"]), digests[1].get(new["name"])
        if pair[0] != pair[1]:
            return _code(new["name"], *pair)
    return WorkflowChanges(
        workflow=new["name"],
        standing=standing,
        renamed_from=old["name"] if renamed else None,
        changes=changes,
    )


def _code(name: str, before: str | None, after: str | None) -> WorkflowChanges:
    change = Change(
        path=pointer("workflows", name, "digest"),
        kind=Kind.CHANGED,
        category=Category.CODE,
        impact=Impact.BEHAVIOUR,
        sentence="Its declaration is the same; the image is another one, so its code may differ.",
        before=before,
        after=after,
    )
    return WorkflowChanges(workflow=name, standing=Standing.CODE, changes=(change,))


def _added(entry: Entry, at: datetime) -> WorkflowChanges:
    name = entry["name"]
    count = len(entry.get("operations", ()))
    change = Change(
        path=pointer("workflows", name),
        kind=Kind.ADDED,
        category=Category.IDENTITY,
        impact=Impact.BEHAVIOUR,
        sentence=f"The workflow {name} is new; it has {_counted(count, 'operation')}.",
        after=entry,
    )
    scheduled = schedule_changes(name, None, entry.get("schedule"), at)
    changes = (change, *scheduled, *contracts.schedule_gaps({}, entry))
    return WorkflowChanges(workflow=name, standing=Standing.ADDED, changes=changes)


def _removed(entry: Entry) -> WorkflowChanges:
    name = entry["name"]
    change = Change(
        path=pointer("workflows", name),
        kind=Kind.REMOVED,
        category=Category.IDENTITY,
        impact=Impact.BEHAVIOUR,
        sentence=f"The workflow {name} is gone; once accepted, it is not started any more.",
        breaking=True,
        before=entry,
    )
    return WorkflowChanges(workflow=name, standing=Standing.REMOVED, changes=(change,))


def _workflow(old: Entry, new: Entry, at: datetime) -> Iterator[Change]:
    name = new["name"]
    if old["name"] != name:
        yield _renamed_workflow(old["name"], name)
    path = ("workflows", name)
    yield from gaps.found(path, old, new, gaps.WORKFLOW)
    both = old.keys() & new.keys()
    yield from field_changes(path, old, new)
    if "schedule" in both:
        yield from schedule_changes(name, old["schedule"], new["schedule"], at)
    if gaps.comparable(old, new, "parameters"):
        yield from contracts.parameter_changes(name, old["parameters"], new["parameters"])
        yield from contracts.schedule_gaps(old, new)
    if "operations" in both:
        yield from operation_changes(name, old["operations"], new["operations"])


def _renamed_workflow(old: str, new: str) -> Change:
    return Change(
        path=pointer("workflows", new, "name"),
        kind=Kind.RENAMED,
        category=Category.IDENTITY,
        impact=Impact.DATA,
        sentence=f"The workflow {old} seems to be called {new} now; "
        "accepted as a rename, its state, schedules and metrics go with it.",
        breaking=True,
        before=old,
        after=new,
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def bounded(difference: Difference) -> Difference:
    """The same, short enough to be shown; its notice says what was cut."""
    left, shown = MAX_CHANGES, []
    for one in difference.workflows:
        kept = tuple(_clipped(change) for change in one.changes[: max(left, 0)])
        left -= len(one.changes)
        shown.append(one.model_copy(update={"changes": kept}))
    total = MAX_CHANGES - left
    notice = f"Only the first {MAX_CHANGES} of {total} changes are listed." if left < 0 else None
    return difference.model_copy(update={"workflows": tuple(shown), "notice": notice})


def _clipped(change: Change) -> Change:
    name = change.path.rpartition("/")[2]
    name = change.path.split("/")[-2] if name == "default" else name
    before, after = (veiled(one, name=name) for one in (change.before, change.after))
    return change.model_copy(update={"before": _short(before), "after": _short(after)})


def _short(value: Any) -> Any:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= MAX_VALUE:
        return value
    return f"{text[:MAX_VALUE]}… ({len(text):,} characters in all)"
