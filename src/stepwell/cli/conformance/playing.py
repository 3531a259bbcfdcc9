"""The whole check: discover, release, run; each requirement gets its finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from stepwell.cli.conformance import discovering, running
from stepwell.cli.conformance.requirements import Finding, complete
from stepwell.cli.conformance.running import Subject
from stepwell.cli.conformance.stage import Stage, staged
from stepwell.cli.parameters import did_you_mean, parsed
from stepwell.errors import InvalidInput
from stepwell.workflows.names import kebab

SCENES: Final = (running.undisturbed, running.disturbed, running.halted, running.refused)


class NothingToRun(InvalidInput):
    """The check has no workflow that it can run."""

    code = "nothing-to-run"


def check(
    image: str,
    *,
    launcher: str,
    environment: Mapping[str, str],
    workflow: str | None,
    parameters: Sequence[str],
    patience: float,
    discover_only: bool,
    tell: Callable[[str], None],
) -> list[Finding]:
    """A finding for each requirement, in their order.

    Raises
    ------
    NothingToRun : no such workflow, or each needs parameters and none were given.
    """
    with staged(launcher, patience) as stage:
        tell("discovering it ...")
        first = stage.register(image, environment)
        found = list(discovering.first_looks(first))
        if not first.good:
            return complete(found, "Its manifest was not taken.")
        group = first.record["group_name"]
        found.append(discovering.same_again(first, stage.discover(group)))
        if discover_only:
            return complete(found, "Only discovery was asked for.")
        subject = _subject(group, first.record["manifest"], workflow, parameters)
        stage.approve(group)
        found += _played(stage, subject, tell)
        return complete(found, "An earlier failure kept it from being looked at.")


def _played(stage: Stage, subject: Subject, tell: Callable[[str], None]) -> list[Finding]:
    found: list[Finding] = []
    for scene in SCENES:
        tell(f"running {subject.name}, {scene.__name__} ...")
        found += scene(stage, subject)
        if any(one.requirement == "runs-operations" and one.verdict == "failed" for one in found):
            return found
    return found


def _subject(
    group: str, manifest: Mapping[str, Any], wanted: str | None, given: Sequence[str]
) -> Subject:
    workflows = {one["name"]: one for one in manifest["workflows"]}
    if wanted is not None and kebab(wanted) not in workflows:
        raise NothingToRun(
            f"The group {group!r} has no workflow {wanted!r}.",
            fix=did_you_mean(wanted, workflows),
        )
    chosen = workflows[kebab(wanted)] if wanted is not None else _richest(workflows)
    parameters = parsed(given, chosen["parameters"])
    missing = [one for one in chosen["parameters"].get("required", []) if one not in parameters]
    if missing:
        raise NothingToRun(
            f"The workflow {chosen['name']!r} needs {', '.join(missing)}.",
            fix=f"Give --param {missing[0]}=..., or another --workflow.",
        )
    return Subject(group=group, workflow=chosen, parameters=parameters)


def _richest(workflows: Mapping[str, Any]) -> Any:
    """The one with the most operations, of those that need no parameters if there are some."""
    return max(
        workflows.values(),
        key=lambda one: (not one["parameters"].get("required"), len(one["operations"])),
    )
