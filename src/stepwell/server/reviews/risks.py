"""Reasons to look twice, each with a code, that a reviewer should see before the details."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from stepwell.server.reviews.cadence import more_often
from stepwell.server.reviews.changes import (
    Category,
    Change,
    Difference,
    Kind,
    Standing,
    WorkflowChanges,
)
from stepwell.server.reviews.launching import doubled
from stepwell.server.reviews.records import Risk

Entry = Mapping[str, Any]
Row = Mapping[Any, Any]

_BY_CATEGORY: Final[dict[Category, str]] = {
    Category.RETRIES: "retries-changed",
    Category.TIMEOUT: "timeout-changed",
    Category.DEADLINE: "timeout-changed",
}
_IF_NEW: Final[dict[Category, str]] = {
    Category.SECRETS: "new-secret",
    Category.PERMISSIONS: "other-service-account",
}


def risks(
    difference: Difference,
    before: Mapping[str, Entry],
    after: Mapping[str, Entry],
    runs: Sequence[Row],
    at: datetime,
) -> list[Risk]:
    """Reasons to look twice at workflows; `before` and `after` are manifest entries by name."""
    found: list[Risk] = []
    busy = {row["workflow"] for row in runs}
    for changes in difference.workflows:
        old, new = before.get(changes.renamed_from or changes.workflow), after.get(changes.workflow)
        found += _of_changes(changes)
        found += _busy(changes, busy)
        if old and new and more_often(old.get("schedule"), new.get("schedule"), at):
            told = f"{changes.workflow} will run more often."
            found.append(Risk(code="more-often", workflow=changes.workflow, sentence=told))
    return found


def of_group(changes: Sequence[Change]) -> list[Risk]:
    """Reasons in what is given to the image, in what it asks of its launcher, and in itself."""
    return [
        Risk(code=code, workflow=None, sentence=change.sentence)
        for change in changes
        if (code := _group_code(change)) is not None
    ]


def of_digests(
    digests: Sequence[str | None], *, image: str, released: str | None, replaced: Sequence[str]
) -> Iterator[Risk]:
    """Reasons in the digests that are offered.

    Parameters
    ----------
    image, released : what the group is registered as now, and was at the current release;
        None where that is unavailable or where the image is no image under a tag.
    replaced : the digests in force.
    """
    if any(not (one or "").startswith("sha256:") for one in digests):
        told = "The image has no digest, so nobody can tell later what was run."
        yield Risk(code="image-without-digest", workflow=None, sentence=told)
    tagged = "@sha256:" not in image and image == released
    if tagged and replaced and not set(digests) <= set(replaced):
        told = f"The image is another one under the same tag, {image}."
        yield Risk(code="digest-changed-under-tag", workflow=None, sentence=told)


def _group_code(change: Change) -> str | None:
    new = change.kind in {Kind.ADDED, Kind.CHANGED} and not change.unavailable
    if new and change.category in _IF_NEW:
        return _IF_NEW[change.category]
    return "resources-doubled" if doubled(change) else None


def _of_changes(changes: WorkflowChanges) -> Iterator[Risk]:
    name = changes.workflow
    for change in changes.changes:
        if change.breaking and change.category in {Category.PARAMETERS, Category.SCHEDULE}:
            yield Risk(code="contract-broken", workflow=name, sentence=change.sentence)
        elif change.category in _BY_CATEGORY and changes.standing is not Standing.ADDED:
            code = _BY_CATEGORY[change.category]
            yield Risk(code=code, workflow=name, sentence=f"{name}: {change.sentence}")


def _busy(changes: WorkflowChanges, busy: set[str]) -> Iterator[Risk]:
    name = changes.renamed_from or changes.workflow
    if name not in busy:
        return
    if changes.standing is Standing.REMOVED:
        told = f"{name} is gone, and has runs that have not ended."
        yield Risk(code="removed-while-running", workflow=name, sentence=told)
    for change in changes.changes:
        if change.kind is Kind.REMOVED and change.category is Category.OPERATIONS:
            told = f"{change.sentence[:-1]}, and {name} has runs that have not ended."
            yield Risk(code="removed-while-running", workflow=name, sentence=told)
