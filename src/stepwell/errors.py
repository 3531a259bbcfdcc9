"""Every error that Stepwell raises on purpose, as one tree with codes.

    StepwellError
    ├── InvalidInput            what was given cannot be used; nothing was changed
    │   ├── ValueTooLarge       a state or result over 256 KiB (R4)
    │   ├── NotEncodable        a value that the codec has no form for
    │   ├── NotDecodable        text in the store that no codec here can read
    │   ├── HandlerInvalid      a handler's signature or registration cannot work
    │   └── NotSupported        this store does not offer that verb
    ├── NotFound                the thing named does not exist
    │   └── StepNotFound
    ├── Conflict                the thing exists, but is not in a fit condition
    │   ├── UniqueKeyTaken      a ready step of that name and key exists (R5)
    │   ├── NotAMember          a join would wait for a step that is not its member (R28)
    │   ├── StepEnded           the step is no longer ready
    │   ├── StepNotEnded        the step is still ready
    │   ├── OutsideTransaction  a change that would not commit with the handler's step (R26)
    │   └── EngineRunning       this engine has started and not stopped
    ├── Denied                  who asks may not
    │   └── Unauthenticated     who asks is not known
    ├── Unavailable             try again later: a pause, not a mistake
    │   └── StoreUnavailable    the store cannot be reached, or its answer was lost (R13)
    ├── SetupError              wrong on first contact, so it fails at once (R24)
    │   ├── SchemaMissing
    │   └── SchemaTooNew
    ├── SettlementRejected      the store refused what an outcome carries (R16)
    │   └── AttemptRejected     the same, counted as a failed attempt (R38)
    ├── StepTimedOut            a handler took longer than its timeout allows
    ├── ProcessDied             the process in which a handler ran has ended
    └── EngineBuried            the engine was declared dead by another one (R11)

Each says what happened, why, and how to fix it, and carries a stable ``code``
by which API, CLI and docs name it. Rooms of the server and the authoring
package add their own below the same kinds; `catalogue` lists them all.

`FailStep` of `stepwell.outcome` is not in the tree: it is how a handler says "this step has
failed".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self
from uuid import UUID


class StepwellError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    what : one sentence: what went wrong, naming the thing.
    why : one sentence: the reason, or empty where `what` says it.
    fix : one sentence: what the reader can do about it.
    """

    code: str = "error"

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.why, self.fix = what, why, fix

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.fix) if part)

    def as_dict(self) -> dict[str, str]:
        """The error as JSON-able data: code, what, why, fix."""
        return {"code": self.code, "what": self.what, "why": self.why, "fix": self.fix}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The error of `as_dict` again, in another process; its code is the class's own."""
        error = cls.__new__(cls)
        StepwellError.__init__(
            error, str(data.get("what", "")), why=data.get("why", ""), fix=data.get("fix", "")
        )
        return error


class InvalidInput(StepwellError):
    """What was given cannot be used; nothing was changed."""

    code = "invalid-input"


class NotFound(StepwellError):
    """The thing that was named does not exist."""

    code = "not-found"


class Conflict(StepwellError):
    """The thing exists, but is not in a condition that allows this."""

    code = "conflict"


class Denied(StepwellError):
    """The caller is known and may not do this."""

    code = "denied"


class Unauthenticated(Denied):
    """The caller is not known."""

    code = "unauthenticated"


class Unavailable(StepwellError):
    """Try again later; the caller has made no mistake."""

    code = "unavailable"


class SetupError(StepwellError):
    """Wrong on first contact: credentials, address, schema (R24)."""

    code = "setup"


class ValueTooLarge(InvalidInput):
    """A state, result or argument is over the limit of R4."""

    code = "value-too-large"


class NotEncodable(InvalidInput):
    """A value cannot be written in the codec's format."""

    code = "not-encodable"


class NotDecodable(InvalidInput):
    """Text in the store does not fit the format or the annotated type."""

    code = "not-decodable"


class HandlerInvalid(InvalidInput):
    """A handler's signature or registration cannot work."""

    code = "handler-invalid"


class StepNotFound(NotFound):
    """No step has this id."""

    code = "step-not-found"

    def __init__(self, step_id: UUID) -> None:
        super().__init__(
            f"There is no step {step_id}.",
            fix="Check the id; steps past their retention time are removed.",
        )


class UniqueKeyTaken(Conflict):
    """A ready step of that name and unique key exists already (R5)."""

    code = "unique-key-taken"

    def __init__(self, name: str, unique_key: str) -> None:
        super().__init__(
            f"A ready step {name!r} with the unique key {unique_key!r} exists.",
            fix="Add with on_conflict='ignore' or 'replace' if that is expected.",
        )


class NotAMember(Conflict):
    """A join would wait for a step that is not its member, so for ever (R28)."""

    code = "not-a-member"

    def __init__(self, name: str, wanted: int, added: int) -> None:
        super().__init__(
            f"The step {name!r} would wait for {wanted} steps, of which {added} were added.",
            why="The others exist already, so they cannot become its members.",
            fix="Make the steps that it waits for anew, each for this join alone.",
        )

    @classmethod
    def of(cls, name: str) -> Self:
        """The join itself is there already."""
        return cls.from_dict(
            {
                "what": f"The step {name!r} was there before, and waits for none of these.",
                "why": "The same id is the same step (R1), and what it waits for is known.",
                "fix": "Make a new step for `then` each time.",
            }
        )


class StepEnded(Conflict):
    """The step is not ready any more, so it cannot be changed."""

    code = "step-ended"

    def __init__(self, step_id: UUID) -> None:
        super().__init__(
            f"Step {step_id} has ended.",
            why="Only ready steps can be activated, re-scheduled or ended by hand.",
            fix="Re-execute it to run it again.",
        )


class StepNotEnded(Conflict):
    """The step is still ready, so there is nothing to re-execute."""

    code = "step-not-ended"

    def __init__(self, step_id: UUID) -> None:
        super().__init__(
            f"Step {step_id} is still ready.",
            why="Only done and failed steps can be re-executed.",
            fix="Activate it to run it now.",
        )


class OutsideTransaction(Conflict):
    """A handler with a connection changed steps without it, so apart from its own step (R26)."""

    code = "outside-transaction"

    def __init__(self) -> None:
        super().__init__(
            "This would commit apart from the step that is being run.",
            why="Its handler asked for the connection, so that all it does commits together.",
            fix="Add with connection=connection, or return next=[...] with the outcome.",
        )


class EngineRunning(Conflict):
    """The engine has been started already."""

    code = "engine-running"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The engine {name!r} is running.",
            fix="Stop it first, or make a second Engine.",
        )

    @classmethod
    def in_child(cls) -> Self:
        """The program starts its engine as soon as it is imported, also for a handler."""
        return cls.from_dict(
            {
                "what": "An engine cannot start in the process of a handler.",
                "why": "The program was imported there for the handler's sake.",
                "fix": "Start it below `if __name__ == '__main__':`.",
            }
        )


class NotSupported(InvalidInput):
    """This store does not offer that verb or capability."""

    code = "not-supported"


class StoreUnavailable(Unavailable):
    """The store cannot be reached, or the answer to a commit was lost (R13)."""

    code = "store-unavailable"


class SchemaMissing(SetupError):
    """The database has no Stepwell tables, or older ones."""

    code = "schema-missing"


class SchemaTooNew(SetupError):
    """The database was migrated by a newer Stepwell."""

    code = "schema-too-new"


class SettlementRejected(StepwellError):
    """The store refuses what one settlement carries, for a reason of its data (R16)."""

    code = "settlement-rejected"


class AttemptRejected(SettlementRejected):
    """As above, but it counts as a failed attempt: the handler may be tried again (R38)."""

    code = "attempt-rejected"


class StepTimedOut(StepwellError, TimeoutError):
    """A handler took longer than its timeout allows; a `TimeoutError` for retry policies."""

    code = "step-timed-out"

    def __init__(self, seconds: float, *, goes_on: bool = False) -> None:
        super().__init__(
            f"The handler took longer than {seconds:g} s.",
            why="Its thread goes on, and what it returns counts for nothing." if goes_on else "",
        )


class ProcessDied(StepwellError):
    """The process in which a handler ran has ended before it returned."""

    code = "process-died"


class EngineBuried(StepwellError):
    """This engine was declared dead: its claims are gone (R11)."""

    code = "engine-buried"

    def __init__(self, engine_id: UUID) -> None:
        super().__init__(
            f"Engine {engine_id} was declared dead by another engine.",
            why="Its beat was not seen to rise for 8 s.",
            fix="It starts again under a new id; the steps it held run elsewhere.",
        )


def catalogue() -> dict[str, type[StepwellError]]:
    """All error classes loaded in this process, by code."""
    return {cls.code: cls for cls in _tree(StepwellError)}


def revive(data: Mapping[str, Any]) -> StepwellError:
    """The error that another process described with `as_dict`.

    A code whose class is not loaded here gives the base, and stays the error's code.
    """
    code = str(data.get("code", StepwellError.code))
    error = catalogue().get(code, StepwellError).from_dict(data)
    error.code = code
    return error


def _tree(cls: type[StepwellError]) -> Iterator[type[StepwellError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from _tree(child)
