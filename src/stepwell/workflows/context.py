"""`Context`: what an operation can reach besides its inputs: state, reports, log, progress.

It lives in the child process. What it saves is held there until the operation
has returned, so an attempt that fails or is killed has saved nothing (R38).
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol, TypeAlias
from uuid import UUID

from stepwell.workflows.approvals import (
    ON_TIMEOUT,
    Approval,
    ApprovalWanted,
    Approved,
    OnTimeout,
    approved,
)
from stepwell.workflows.errors import ApprovalInvalid, StateInvalid, ValueMisfit
from stepwell.workflows.reports import Report, Reports
from stepwell.workflows.schema import write as as_json

Scope: TypeAlias = Literal["workflow", "operation", "group"]

_SCOPES: Final = ("workflow", "operation", "group")
_LONGEST_KEY: Final = 200
_PROGRESS_EVERY: Final = 0.2


@dataclass(frozen=True, slots=True)
class Versioned:
    """A value of the state store and the version that it has there (1 is the first)."""

    value: Any
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A change of one state entry. `expect_version` 0: it must be new; `ttl` in seconds."""

    scope: str
    key: str
    value: Any = None
    expect_version: int | None = None
    ttl: float | None = None
    delete: bool = False
    now: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Which execution this is. `attempt` counts from 1; `due_at` is when its run was due (UTC).

    `approval` is a reviewer's answer, where there is one.
    """

    run_id: UUID
    group: str
    workflow: str
    operation: str
    attempt: int = 1
    due_at: datetime | None = None
    approval: dict[str, Any] | None = None


class Link(Protocol):
    """What the context asks of the process that started this one."""

    def read(self, scope: str, key: str) -> Versioned | None:
        """The committed entry."""
        ...

    def keys(self, scope: str, prefix: str) -> list[str]:
        """The keys that begin so, in order."""
        ...

    def write_now(self, write: Write) -> None:
        """Commit a change at once; raises `StateConflict`."""
        ...

    def progress(self, done: float, total: float | None, note: str) -> None:
        """Show how far the operation is."""
        ...

    def report(self, report: Report) -> None:
        """Hand over at once what is kept on failure: this process may be killed."""
        ...


class State:
    """Values that outlive the run, by key, in one of three scopes.

    'workflow' is shared by all runs of the workflow, 'operation' belongs to this
    operation of them, 'group' is shared by the whole group. Values are JSON.
    A saved value is committed with the operation's success, or not at all.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._staged: dict[tuple[str, str], Write] = {}

    @property
    def writes(self) -> list[Write]:
        """The changes to commit when the operation succeeds, one per entry."""
        return list(self._staged.values())

    def get(self, key: str, default: Any = None, *, scope: Scope = "workflow") -> Any:
        """The value of a key, also one that this operation has just saved."""
        own = self._staged.get(_place(scope, key))
        if own is not None:
            return default if own.delete else own.value
        found = self._link.read(scope, key)
        return default if found is None else found.value

    def get_versioned(self, key: str, *, scope: Scope = "workflow") -> Versioned | None:
        """The committed value, and its version for `save(expect_version=)`; None if absent."""
        return self._link.read(*_place(scope, key))

    def keys(self, prefix: str = "", *, scope: Scope = "workflow") -> list[str]:
        """The keys that there are and that begin so, in order; with this operation's changes."""
        _place(scope, prefix or "*")
        own = {
            place[1]: write
            for place, write in self._staged.items()
            if place[0] == scope and place[1].startswith(prefix)
        }
        there = {key for key in self._link.keys(scope, prefix) if key not in own}
        return sorted(there | {key for key, write in own.items() if not write.delete})

    def save(
        self,
        key: str,
        value: Any,
        *,
        scope: Scope = "workflow",
        expect_version: int | None = None,
        ttl: float | None = None,
        now: bool = False,
    ) -> None:
        """Set a value.

        Parameters
        ----------
        value : JSON, or a date, dataclass or model, which is read again as plain JSON.
        expect_version : fail the attempt unless the entry has this version; 0: it must be new.
        ttl : seconds after which the entry is gone.
        now : commit at once instead of with the operation's success: it then stays
            even if the operation fails, and is saved again by its next attempt.

        Raises
        ------
        StateInvalid : a key, scope or value that cannot be kept.
        StateConflict : with now=True, when the entry has another version.
        """
        _check_version(expect_version)
        place, key = _place(scope, key)
        self._put(
            Write(
                scope=place,
                key=key,
                value=_plain(key, value),
                expect_version=expect_version,
                ttl=ttl,
                now=now,
            )
        )

    def delete(
        self,
        key: str,
        *,
        scope: Scope = "workflow",
        expect_version: int | None = None,
        now: bool = False,
    ) -> None:
        """Remove an entry; one that does not exist is no mistake. See `save`."""
        _check_version(expect_version)
        place, key = _place(scope, key)
        self._put(Write(scope=place, key=key, expect_version=expect_version, delete=True, now=now))

    def _put(self, write: Write) -> None:
        place = (write.scope, write.key)
        if write.now:
            self._link.write_now(write)
            self._staged.pop(place, None)
            return
        self._staged[place] = _merged(self._staged.get(place), write)


class Context:
    """Handed to each operation that has a parameter annotated with it.

    Attributes
    ----------
    state : values that outlive the run.
    report : what people should see of this run.
    log : a standard logger, named after the operation.
    run_id, group, workflow, operation, attempt, due_at : which execution this is.
    approval : who has approved it, where it waited for a reviewer; None where nobody has.
    """

    def __init__(self, facts: Facts, link: Link) -> None:
        self.facts = facts
        self.run_id, self.group, self.workflow = facts.run_id, facts.group, facts.workflow
        self.operation, self.attempt, self.due_at = facts.operation, facts.attempt, facts.due_at
        self.approval = approved(facts.approval)
        self.reports: dict[str, Report] = {}
        self.state = State(link)
        self.report = Reports(self._keep)
        self.log = logging.getLogger(f"{facts.group}.{facts.workflow}.{facts.operation}")
        self._link = link
        self._told = -_PROGRESS_EVERY

    def progress(self, done: float, total: float | None = None, note: str = "") -> None:
        """Tell how far the operation is; calls in quick succession are thinned out."""
        now = time.monotonic()
        if now - self._told >= _PROGRESS_EVERY or done == total:
            self._told = now
            self._link.progress(done, total, note)

    def wait_for_approval(
        self, message: str = "", *, within: float | timedelta, on_timeout: OnTimeout = "fail"
    ) -> Approved | None:
        """Stop here until a reviewer has answered; then the operation begins anew, with the answer.

        What it has done so far is done again, and what it has saved so far is not kept. While
        it waits no container runs. One operation waits for one approval.

        Parameters
        ----------
        message : what the reviewer is asked, in a sentence.
        within : seconds or a timedelta; so long a reviewer may take.
        on_timeout : without an answer the operation fails ('fail'), or gets None ('go on').

        Raises
        ------
        ApprovalInvalid : a time or a word that cannot be used.
        """
        if self.facts.approval is not None:
            return self.approval
        wanted = Approval(within, message, on_timeout)
        if not wanted.seconds > 0 or on_timeout not in ON_TIMEOUT:
            raise ApprovalInvalid(
                f"{wanted!r} cannot be waited for.",
                fix="Give within= above 0, and on_timeout='fail' or 'go on'.",
            )
        raise ApprovalWanted(wanted)

    def _keep(self, report: Report) -> None:
        self.reports[report.name] = report
        if report.on_failure:
            self._link.report(report)


def _place(scope: str, key: Any) -> tuple[str, str]:
    if scope not in _SCOPES:
        raise StateInvalid(f"There is no scope {scope!r}.", fix=f"One of: {', '.join(_SCOPES)}.")
    if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_KEY:
        raise StateInvalid(
            f"{key!r} is no state key.", fix=f"Give a text of 1 to {_LONGEST_KEY} characters."
        )
    return scope, key


def _check_version(version: Any) -> None:
    if version is not None and (not isinstance(version, int) or version < 0):
        raise StateInvalid(
            f"{version!r} is no version.", fix="Give the version that get_versioned returned, or 0."
        )


def _merged(earlier: Write | None, write: Write) -> Write:
    """The later change of an entry, with what the earlier one expected to find."""
    if earlier is None or earlier.expect_version is None:
        return write
    return Write(**{**_fields(write), "expect_version": earlier.expect_version})


def _fields(write: Write) -> dict[str, Any]:
    return {name: getattr(write, name) for name in Write.__slots__}


def _plain(key: str, value: Any) -> Any:
    try:
        return as_json(Any, value, f"The state {key!r}")
    except ValueMisfit as error:
        raise StateInvalid(error.what, why=error.why, fix=error.fix) from error
