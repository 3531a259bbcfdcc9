"""Which release decisions make of the current one: pure, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from stepwell.errors import Conflict, InvalidInput
from stepwell.server.reviews.aligning import align_operations
from stepwell.server.reviews.changes import Difference, Standing
from stepwell.server.reviews.records import Choice, Decision


class WorkflowUnknown(InvalidInput):
    """A decision names a workflow that neither the discovery nor the release has."""

    code = "decision-unknown"


class DecisionRepeated(InvalidInput):
    """Two decisions name one workflow, or continue one workflow."""

    code = "decision-repeated"


class RenameInvalid(Conflict):
    """A workflow cannot continue the one that the decision names."""

    code = "rename-invalid"


Contents = dict[str, dict[str, Any]]
"""Workflow -> its row in a release: workflow, discovery_id, digest, entry, renamed_from,
renamed_operations (new name -> old name)."""

COLUMNS: Final = (
    "workflow",
    "discovery_id",
    "digest",
    "entry",
    "renamed_from",
    "renamed_operations",
)


def offered(discovery_id: Any, digest: str, entries: Mapping[str, Any]) -> Contents:
    """What a discovery would release, if all of it were accepted."""
    fixed = {"discovery_id": discovery_id, "digest": digest}
    unnamed: dict[str, Any] = {"renamed_from": None, "renamed_operations": None}
    return {
        name: {"workflow": name, "entry": dict(entry), **fixed, **unnamed}
        for name, entry in entries.items()
    }


def completed(given: Sequence[Decision], rest: Choice, difference: Difference) -> list[Decision]:
    """Every decision that is meant: those given, and `rest` for all else that changed.

    What is held without being named needs no decision. A rename that the difference
    found is taken over unless the decision says otherwise.

    Raises
    ------
    DecisionRepeated : two for one workflow.
    """
    named = {one.workflow for one in given}
    if len(named) < len(given):
        raise DecisionRepeated("A workflow is named twice.", fix="Send one decision for each.")
    renames = {one.workflow: one.renamed_from for one in difference.workflows}
    others = [
        Decision(workflow=one.workflow, decision=rest)
        for one in difference.workflows
        if one.standing is not Standing.SAME and one.workflow not in named
    ]
    others = [] if rest is Choice.HOLD else others
    spared = {one.renamed_from for one in given if one.decision is Choice.ACCEPT}
    meant = [*given, *(one for one in others if one.workflow not in spared)]
    return [_with_rename(one, renames.get(one.workflow)) for one in meant]


def _with_rename(one: Decision, found: str | None) -> Decision:
    if one.decision is not Choice.ACCEPT or "renamed_from" in one.model_fields_set:
        return one
    return one.model_copy(update={"renamed_from": found})


def applied(current: Contents, found: Contents, decisions: Sequence[Decision]) -> Contents:
    """The contents of the next release; rejected and held workflows keep what they have.

    Raises
    ------
    WorkflowUnknown, RenameInvalid, DecisionRepeated : nothing is applied.
    """
    settled = {"renamed_from": None, "renamed_operations": None}
    following = {name: {**row, **settled} for name, row in current.items()}
    for one in decisions:
        _check(one, current, found)
        if one.decision is Choice.ACCEPT and one.renamed_from is not None:
            _let_go(following, one)
    gone = current.keys() - following.keys()
    for one in decisions:
        if one.decision is Choice.ACCEPT:
            before = one.renamed_from or (None if one.workflow in gone else one.workflow)
            _accept(following, one, current.get(before or ""), found)
    return following


def differ(one: Contents, other: Contents) -> bool:
    """Whether two contents start different things: entry or digest of any workflow."""
    return _started(one) != _started(other)


def _started(contents: Contents) -> dict[str, tuple[str, Any]]:
    return {name: (row["digest"], row["entry"]) for name, row in contents.items()}


def restored(earlier: Contents, renames: Sequence[tuple[str, str]]) -> Contents:
    """The contents for a rollback: what was renamed since then gets its old name back.

    So state, schedules and metrics come along the same way as they went (R37).
    """
    names = {name: name for name in earlier}
    for old, new in renames:
        names = {first: new if last == old else last for first, last in names.items()}
    return {
        name: {**row, "renamed_from": names[name] if names[name] != name else None}
        for name, row in earlier.items()
    }


def _accept(
    following: Contents, one: Decision, before: Mapping[str, Any] | None, found: Contents
) -> None:
    """`before` is the row that it continues."""
    if one.workflow not in found:
        following.pop(one.workflow, None)
        return
    row = found[one.workflow]
    following[one.workflow] = {
        **row,
        "renamed_from": one.renamed_from,
        "renamed_operations": _renamed_operations(one, before, row["entry"]) or None,
    }


def _renamed_operations(
    one: Decision, before: Mapping[str, Any] | None, entry: Mapping[str, Any]
) -> dict[str, str]:
    """New name -> old name; raises `RenameInvalid`."""
    old = [] if before is None else before["entry"].get("operations", [])
    new = entry.get("operations", [])
    if one.renamed_operations is None:
        return {name: was for was, name in align_operations(old, new).pairs if was != name}
    gone = {each["name"] for each in old} - {each["name"] for each in new}
    fresh = {each["name"] for each in new} - {each["name"] for each in old}
    given = one.renamed_operations
    if given.keys() <= fresh and set(given.values()) <= gone and _one_to_one(given):
        return given
    names = [", ".join(sorted(some)) or "none" for some in (fresh, gone)]
    raise RenameInvalid(
        f"The operations of {one.workflow!r} cannot continue as {given}.",
        why=f"New are: {names[0]}; gone: {names[1]}.",
        fix="Name new operations and what they were called, each once; or leave it out.",
    )


def _one_to_one(names: Mapping[str, str]) -> bool:
    return len(set(names.values())) == len(names)


def _let_go(following: Contents, one: Decision) -> None:
    if following.pop(str(one.renamed_from), None) is None:
        raise DecisionRepeated(
            f"Two workflows are to continue {one.renamed_from!r}.",
            fix="A workflow has one successor: send renamed_from for one of them.",
        )


def _check(one: Decision, current: Contents, found: Contents) -> None:
    if one.workflow not in found and one.workflow not in current:
        known = sorted({*found, *current})
        raise WorkflowUnknown(
            f"There is no workflow {one.workflow!r} to decide about.",
            why=f"The discovery and the release have: {', '.join(known)}.",
            fix="Correct the name.",
        )
    if one.renamed_from is not None:
        _check_rename(one, str(one.renamed_from), current, found)


def _check_rename(one: Decision, old: str, current: Contents, found: Contents) -> None:
    was = found[one.workflow]["renamed_from"] if one.workflow in found else None
    if old not in current:
        why = f"The current release has no workflow {old!r}."
    elif old in found and was != old:  # of an earlier release it is known, and another's too
        why = f"The image still declares {old!r}."
    elif one.workflow not in found:
        why = f"The image does not declare {one.workflow!r}."
    else:
        return
    raise RenameInvalid(
        f"{one.workflow!r} cannot continue {old!r}.", why=why, fix="Leave renamed_from out."
    )
