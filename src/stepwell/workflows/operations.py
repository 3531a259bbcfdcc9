"""An operation as an engine handler: its inputs from the run's rows, its code in the child (R32).

The order of operations lives in the settlements: each one that does not end the
run spawns the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from stepwell import clock
from stepwell.codec import JSON, MAX_BYTES
from stepwell.errors import StepwellError
from stepwell.outcome import Done, Fail, Outcome, Rerun, Skip
from stepwell.registry import Registry
from stepwell.retry import RetryPolicy
from stepwell.step import EndedAs, NewStep, Step, StepQuery, new_step
from stepwell.stores.patience import patiently
from stepwell.stores.protocol import Store
from stepwell.workflows.approvals import (
    ApprovalWanted,
    Unanswered,
    answer,
    approved,
    approved_locally,
    asked,
    unanswered,
)
from stepwell.workflows.backend import Backend, OperationDesk
from stepwell.workflows.bound import PARAMETER
from stepwell.workflows.context import Facts
from stepwell.workflows.errors import ApprovalMissing, ValueMisfit
from stepwell.workflows.host import ChildHost
from stepwell.workflows.logbook import Log
from stepwell.workflows.manifest import InputEntry, OperationEntry, WorkflowEntry
from stepwell.workflows.messages import Call, Effects
from stepwell.workflows.names import step_name
from stepwell.workflows.references import FORMAT, LARGEST, blob_of, reference

QUEUE: Final = "runs"
"""Operations live there, claimable only by flow (R36)."""

State = dict[str, Any]


class Missing(Exception):
    """An input that its producer did not give; the message is for people."""


class Operations:
    """The handlers of one workflow's operations.

    Parameters
    ----------
    group, workflow : from the manifest.
    store : where the run's rows are.
    host : runs the group's code.
    backend : keeps state and reports.
    due_at : when the run was due, for the operations to know.
    log : is told which operation runs.
    approved : take everything as approved; there is nobody to ask.
    """

    def __init__(
        self,
        group: str,
        workflow: WorkflowEntry,
        store: Store,
        host: ChildHost,
        backend: Backend,
        *,
        due_at: datetime | None = None,
        log: Log | None = None,
        approved: bool = False,
    ) -> None:
        self._group = group
        self._workflow = workflow
        self._store = store
        self._host = host
        self._backend = backend
        self._due_at = due_at
        self._log = log
        self._approved = approved
        self._results: dict[str, Any] = {}
        """What operations have returned here, so that it need not be read back: the row of
        whatever is executed now was spawned by the settlement of the one before."""

    def register(self, registry: Registry) -> None:
        """Add a handler for each operation's step name (R3: one attempt unless `retries=`)."""
        for entry in self._workflow.operations:
            registry.add(
                _Handler(self, entry),
                step_name(self._group, self._workflow.name, entry.name),
                retry=RetryPolicy(attempts=entry.retries + 1),
                exhausted=partial(self.failed, entry),
            )

    def first(self, parameters: Mapping[str, Any], flow_id: UUID) -> NewStep:
        """The step that begins a run."""
        entry = self._workflow.operations[0]
        return new_step(
            step_name(self._group, self._workflow.name, entry.name),
            {"parameters": dict(parameters)},
            queue=QUEUE,
            flow_id=flow_id,
        )

    def execute(self, entry: OperationEntry, step: Step, state: State) -> Outcome:
        """Run one operation; an exception is a failed attempt."""
        lacks = unanswered(step, state)
        if lacks is not None and not lacks.goes_on:
            return self._unapproved(entry, step, lacks)
        parameters = {**_defaults(self._workflow), **state["parameters"]}
        try:
            inputs = self._inputs(entry, step.flow_id, parameters)
        except Missing as missing:
            return Skip(description=str(missing), next=self._next(entry, step, state))
        try:
            result = self._run(entry, step, state, parameters, inputs)
        except ValueMisfit as error:  # it would end the same way again
            return self.failed(entry, step, error)
        except ApprovalWanted as wanted:
            return _waits(wanted, state)
        said = _approved_by(None if self._approved else self._answer(step, state))
        return Done(result=result, description=said, next=self._next(entry, step, state))

    def _unapproved(self, entry: OperationEntry, step: Step, lacks: Unanswered) -> Outcome:
        """It was woken too early, or nobody has approved it in time."""
        if lacks.early:
            return Rerun(at=lacks.until, description=step.description)
        until = f"{lacks.until:%Y-%m-%d %H:%M:%S}Z"
        return self.failed(entry, step, ApprovalMissing(f"Nobody approved it until {until}."))

    def failed(self, entry: OperationEntry, step: Step, error: BaseException) -> Outcome:
        """The end of an operation whose attempts are used up: it halts the run, or not."""
        self._results.pop(entry.name, None)  # a settlement may have been refused
        words = str(error) if isinstance(error, StepwellError) else repr(error)
        state = JSON.decode(step.state or "{}")
        following = () if entry.halt_on_error else self._next(entry, step, state)
        return Fail(description=words, next=following)

    def _run(
        self,
        entry: OperationEntry,
        step: Step,
        state: State,
        parameters: State,
        inputs: dict[str, Any],
    ) -> Any:
        facts = Facts(
            run_id=step.flow_id,
            group=self._group,
            workflow=self._workflow.name,
            operation=entry.name,
            attempt=step.failure_count + 1,
            due_at=self._due_at,
            approval=self._answer(step, state),
        )
        desk = OperationDesk(self._backend, step.claim, facts)
        call = Call(facts=facts, parameters=parameters, inputs=inputs)
        with self._logged(facts):
            effects = self._ran(call, desk, entry.timeout)
        result = self._kept(entry, effects.result)
        desk.stage(effects)
        if result is effects.result:
            self._results[entry.name] = result
        return result

    def _ran(self, call: Call, desk: OperationDesk, timeout: float | None) -> Effects:
        try:
            return self._host.run(call, desk, timeout)
        except ApprovalWanted:
            raise
        except StepwellError:
            desk.failed()
            raise

    @contextmanager
    def _logged(self, facts: Facts) -> Iterator[None]:
        if self._log is None:
            yield
            return
        self._log.begin(facts.operation, facts.attempt)
        try:
            yield
        finally:
            self._log.begin(None)

    def _kept(self, entry: OperationEntry, result: Any) -> Any:
        """The result itself, or where it is if it is large (R38).

        Raises
        ------
        ValueMisfit : it cannot be kept; the store would refuse it without a thought of
            halting or not.
        """
        text = _encoded(entry, result)
        if len(text) * 4 <= MAX_BYTES or len(content := text.encode()) <= MAX_BYTES:
            return result
        if len(content) > LARGEST:
            raise _too_large(entry, len(content))
        return reference(self._backend.keep(content), len(content))

    def _answer(self, step: Step, state: State) -> dict[str, Any] | None:
        """What a reviewer has said; that there was no answer, where it goes on without one."""
        if self._approved:
            return approved_locally()
        given = answer(step)
        return {"decision": "none"} if given is None and "approval" in state else given

    def _inputs(self, entry: OperationEntry, flow_id: UUID, parameters: State) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, wanted in entry.inputs.items():
            if wanted.source != PARAMETER:
                self._add_output(found, name, wanted, flow_id)
            elif name in parameters:
                found[name] = parameters[name]
        return found

    def _add_output(
        self, found: dict[str, Any], name: str, wanted: InputEntry, flow_id: UUID
    ) -> None:
        if wanted.source in self._results:
            found[name] = self._results[wanted.source]
            return
        rows = self._ended_well(wanted.source, flow_id)
        if rows:
            found[name] = self._value(rows[0])
        elif wanted.required:
            raise Missing(f"Skipped: it needs {name!r}, which {wanted.source!r} has not given.")

    def _value(self, row: Step) -> Any:
        if row.result is None:
            return None
        if row.result_format != FORMAT:
            return JSON.decode(row.result)
        return JSON.decode(self._backend.fetch(blob_of(row.result)).decode())

    def _ended_well(self, operation: str, flow_id: UUID) -> list[Step]:
        """The rows of an operation with a result, newest first: one executed anew comes first."""
        query = StepQuery(
            flow_id=flow_id,
            name=step_name(self._group, self._workflow.name, operation),
            ended_as=EndedAs.DONE,
            limit=1,
        )

        def search() -> list[Step]:
            with self._store.transaction() as tx:
                return tx.search(query)

        return patiently(search)

    def _next(self, entry: OperationEntry, step: Step, state: State) -> tuple[NewStep, ...]:
        following = self._workflow.after(entry.name)
        if following is None:
            return ()
        made = new_step(
            step_name(self._group, self._workflow.name, following.name),
            {name: one for name, one in state.items() if name != "approval"},
            queue=QUEUE,
            priority=step.priority,
            search_key=step.search_key,
            retention=step.retention,
        )
        return (made,)


class _Handler:
    """One operation's function, as the registry wants it."""

    def __init__(self, operations: Operations, entry: OperationEntry) -> None:
        self._operations = operations
        self._entry = entry
        self.__qualname__ = f"operation {entry.name}"

    def __call__(self, step: Step, state: State) -> Outcome:
        return self._operations.execute(self._entry, step, state)


def _approved_by(given: Mapping[str, Any] | None) -> str | None:
    """What takes the place of "waits for approval" in the row."""
    if given is None:
        return None
    who = approved(given)
    return "Nobody answered; it went on." if who is None else f"Approved by {who.by}."


def _waits(wanted: ApprovalWanted, state: State) -> Rerun:
    """Due when patience ends: until then an answer makes it due (R8)."""
    said = asked(wanted.approval, clock.now())
    until = datetime.fromisoformat(said["until"])
    return Rerun(
        state={**state, "approval": said},
        at=until,
        description=f"Waits for approval until {until:%Y-%m-%d %H:%M:%S}Z.",
    )


def _encoded(entry: OperationEntry, result: Any) -> str:
    try:
        text = JSON.encode(result)
        text.encode()
        return text
    except (StepwellError, UnicodeEncodeError) as error:
        why = error.why if isinstance(error, StepwellError) else f"{error}."
        raise ValueMisfit(
            f"The result of {entry.name!r} cannot be kept.",
            why=why,
            fix="Return JSON values, and decode bytes with errors='replace'.",
        ) from error


def _too_large(entry: OperationEntry, size: int) -> ValueMisfit:
    return ValueMisfit(
        f"The result of {entry.name!r} takes {size:,} bytes.",
        why=f"At most {LARGEST:,} bytes are kept.",
        fix="Store the data elsewhere and return its key.",
    )


def _defaults(workflow: WorkflowEntry) -> State:
    properties: dict[str, Any] = workflow.parameters.get("properties", {})
    return {name: one["default"] for name, one in properties.items() if "default" in one}
