"""What can be wrong with a group, a manifest, a parameter or an attempt.

InvalidInput
├── Several                 a list of problems, reported together
│   ├── GroupInvalid            what the declarations of a group get wrong
│   └── ParametersInvalid       what does not fit a workflow's parameters
├── DeclarationInvalid      one mistake in a declaration, by kind
├── ParameterInvalid        one parameter that does not fit, by kind
├── GroupImportFailed       the group's own code raised while it was imported
└── ManifestInvalid
AttemptFailed               an operation's attempt: raised, too slow, or its process died
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from stepwell.errors import (
    AttemptRejected,
    InvalidInput,
    NotFound,
    SetupError,
    StepwellError,
    revive,
)


class Several(InvalidInput):
    """One error or more of the same input, so that all can be mended at once."""

    code = "several"

    def __init__(self, what: str, problems: Iterable[StepwellError], *, fix: str = "") -> None:
        self.problems: tuple[StepwellError, ...] = tuple(problems)
        if len(self.problems) == 1:
            only = self.problems[0]
            super().__init__(what, why=f"{only.what} {only.why}".strip(), fix=only.fix or fix)
        else:
            super().__init__(what, why=_listed(self.problems), fix=fix)

    def as_dict(self) -> dict[str, Any]:
        """Code, what, why and fix, and `problems`: each of them in the same form."""
        return {**super().as_dict(), "problems": [one.as_dict() for one in self.problems]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The error again, with its problems."""
        error = super().from_dict(data)
        error.problems = tuple(revive(one) for one in data.get("problems", ()))
        return error


def _listed(problems: tuple[StepwellError, ...]) -> str:
    return "".join(f"\n  {n}. {one}" for n, one in enumerate(problems, 1))


class GroupInvalid(Several):
    """What a group declares cannot be run; every mistake is listed."""

    code = "group-invalid"


class ParametersInvalid(Several):
    """The values given do not fit the workflow's parameters."""

    code = "parameters-invalid"


class DeclarationInvalid(InvalidInput):
    """One mistake in what a group declares."""

    code = "declaration-invalid"


class NameInvalid(DeclarationInvalid):
    """A group, workflow or operation has a name that cannot be used."""

    code = "name-invalid"


class NameReserved(DeclarationInvalid):
    """A name that means something else here."""

    code = "name-reserved"


class WorkflowDoubled(DeclarationInvalid):
    """Two workflows of one name."""

    code = "workflow-doubled"


class WorkflowInvalid(DeclarationInvalid):
    """A workflow without operations, or a class that cannot be made."""

    code = "workflow-invalid"


class OperationDoubled(DeclarationInvalid):
    """Two operations of one name."""

    code = "operation-doubled"


class OutputDoubled(DeclarationInvalid):
    """Two values are bound to one name (R32)."""

    code = "output-doubled"


class InputUnbound(DeclarationInvalid):
    """A parameter of an operation that nothing fills (R32)."""

    code = "input-unbound"


class TypeUnknown(DeclarationInvalid):
    """An annotation that cannot be resolved, or has no JSON form."""

    code = "type-unknown"


class TypeMismatch(DeclarationInvalid):
    """A value cannot fit where its name takes it (R32)."""

    code = "type-mismatch"


class SignatureInvalid(DeclarationInvalid):
    """A method that cannot be an operation."""

    code = "signature-invalid"


class OptionInvalid(DeclarationInvalid):
    """An argument of a decorator that cannot work."""

    code = "option-invalid"


class GroupFileMissing(NotFound):
    """There is no group at the path."""

    code = "group-file-missing"


class GroupImportFailed(InvalidInput):
    """The group's code raised while it was imported; `why` has its own frames."""

    code = "group-import-failed"


class EnvironmentMissing(GroupImportFailed):
    """The group reads an environment variable that is not set (R42)."""

    code = "environment-missing"


class GroupMissing(InvalidInput):
    """The file declares no workflow group."""

    code = "group-missing"


class GroupAmbiguous(InvalidInput):
    """The file declares several workflow groups; an image has exactly one."""

    code = "group-ambiguous"


class ManifestInvalid(InvalidInput):
    """What was posted is not a manifest."""

    code = "manifest-invalid"


class ManifestTooNew(InvalidInput):
    """The manifest was made by a newer Stepwell than this one can read."""

    code = "manifest-too-new"


class WorkflowUnknown(NotFound):
    """The group has no workflow of this name."""

    code = "workflow-unknown"


class ParameterInvalid(InvalidInput):
    """One value that does not fit."""

    code = "parameter-invalid"


class ParameterUnknown(ParameterInvalid):
    """The workflow has no parameter of this name."""

    code = "parameter-unknown"


class ParameterMissing(ParameterInvalid):
    """A parameter without a default was not given."""

    code = "parameter-missing"


class ReportInvalid(InvalidInput):
    """A report that cannot be kept."""

    code = "report-invalid"


class StateInvalid(InvalidInput):
    """A state key, scope or value that cannot be kept."""

    code = "state-invalid"


class ApprovalInvalid(InvalidInput):
    """An approval that cannot be waited for."""

    code = "approval-invalid"


class StateConflict(AttemptRejected):
    """Another run changed the entry that this operation expected (R38)."""

    code = "state-conflict"


class ImageContract(SetupError):
    """The environment of `python -m stepwell.workflows` lacks something."""

    code = "image-contract"


class AttemptFailed(StepwellError):
    """An operation raised; the message has the type, the text and the user's frames.

    `origin` is type and place of what it raised, by which failures are grouped.
    """

    code = "attempt-failed"
    origin: str = ""


class ValueMisfit(AttemptFailed):
    """An input or result does not fit its annotation: trying again would not help."""

    code = "value-misfit"


class TimedOut(AttemptFailed):
    """An operation took longer than its `timeout=`."""

    code = "operation-timed-out"


class ProcessEnded(AttemptFailed):
    """The process that ran the operation ended before the operation did."""

    code = "process-ended"


class ApprovalMissing(AttemptFailed):
    """No reviewer has approved the operation in time."""

    code = "approval-missing"
