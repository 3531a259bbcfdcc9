"""Each parameter of each operation is bound by name to an earlier output or a parameter (R32)."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from stepwell.annotated import annotations_of, signature_of
from stepwell.workflows.bound import PARAMETER, Input, Operation, Parameter, Workflow
from stepwell.workflows.complaints import Complaints, first_paragraph, lower_first
from stepwell.workflows.context import Context
from stepwell.workflows.decorators import OperationOptions
from stepwell.workflows.errors import (
    InputUnbound,
    NameReserved,
    OperationDoubled,
    OptionInvalid,
    OutputDoubled,
    SignatureInvalid,
    TypeMismatch,
)
from stepwell.workflows.fit import mismatch
from stepwell.workflows.names import kebab
from stepwell.workflows.schema import Schema, input_schema, output_schema

NOTHING: Final = inspect.Parameter.empty


class Wiring:
    """The operations of one workflow, added in the order in which they run."""

    def __init__(
        self,
        workflow: Workflow,
        complaints: Complaints,
        module: Mapping[str, Any],
        marked: Sequence[tuple[Any, OperationOptions]],
    ) -> None:
        self.workflow = workflow
        self.complaints = complaints
        self.module = module
        self.all_outputs = {_output(_function(member), options) for member, options in marked}
        self.outputs: dict[str, Operation] = {}

    def add(self, member: Any, options: OperationOptions) -> None:
        """The next operation."""
        function = _function(member)
        made = Operation(
            name=kebab(function.__name__),
            function=function,
            options=options,
            output=_output(function, options),
            description=first_paragraph(function),
        )
        where = f"The operation {made.name!r} of {self.workflow.cls.__name__}"
        self._check(made, member, where)
        for parameter in list(signature_of(function).parameters.values())[1:]:
            self._bind_input(made, parameter, where)
        self._bind_output(made, where)
        self.workflow.operations.append(made)

    # -- the method ------------------------------------------------------------

    def _check(self, made: Operation, member: Any, where: str) -> None:
        self.complaints.check_name("operation", made.function.__name__, made.name)
        if made.name == PARAMETER:
            self.complaints.check_reserved(where, made.name)
        self._check_single(made)
        self._check_kind(made, member, where)
        self._check_options(made.options, where)

    def _check_single(self, made: Operation) -> None:
        twin = next((one for one in self.workflow.operations if one.name == made.name), None)
        earlier = made.options.doubles_line if twin is None else twin.line
        if earlier is not None:
            self.complaints.add(
                OperationDoubled,
                f"{self.workflow.cls.__name__} has two operations named {made.name!r}.",
                why=f"They begin at lines {earlier} and {made.line} of "
                f"{Path(made.function.__code__.co_filename).name}.",
                fix="Rename one of the methods.",
            )

    def _check_kind(self, made: Operation, member: Any, where: str) -> None:
        found = _unfit_kind(made.function, member)
        if found:
            self.complaints.add(
                SignatureInvalid,
                f"{where} is {found}.",
                why="An operation is a plain method, def or async def, that returns its value.",
                fix="Give it self as its first parameter, and return a list instead of yielding.",
            )

    def _check_options(self, options: OperationOptions, where: str) -> None:
        retries: Any = options.retries
        if not isinstance(retries, int) or retries < 0:
            self.complaints.add(
                OptionInvalid,
                f"{where} has retries={retries!r}.",
                fix="Give a whole number, 0 or more: how often it is tried again.",
            )
        if options.timeout is not None and not options.timeout > 0:
            self.complaints.add(
                OptionInvalid,
                f"{where} has timeout={options.timeout!r}.",
                fix="Give seconds above 0 or a timedelta, or leave it out.",
            )

    # -- inputs ----------------------------------------------------------------

    def _bind_input(self, made: Operation, parameter: inspect.Parameter, where: str) -> None:
        name, what = parameter.name, f"{where} takes {parameter.name!r}, which"
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            self.complaints.add(
                SignatureInvalid,
                f"{where} takes {parameter}.",
                why="The parameters of an operation are filled by name.",
                fix="Name each value that it needs as a plain parameter.",
            )
            return
        annotation = self._annotation(made.function, name, what)
        source = self.outputs.get(name) or self.workflow.parameters.get(name)
        if annotation is Context:
            made.context = name
        elif source is None:
            self._complain_unbound(name, where)
        else:
            required = parameter.default is NOTHING
            self._bind_source(made, Input(name, "", annotation, {}, required), source, what)

    def _annotation(self, function: Any, name: str, what: str) -> Any:
        written = annotations_of(function)
        if name not in written:
            return NOTHING
        local = vars(self.workflow.cls)
        return self.complaints.resolved(written[name], what, self.module, local)

    def _bind_source(
        self, made: Operation, new: Input, source: Operation | Parameter, what: str
    ) -> None:
        given, kind = _offer(source)
        new.annotation = kind if new.annotation is NOTHING else new.annotation
        schema = self.complaints.schema(input_schema, new.annotation, what)
        if schema is None:
            return
        misfit = mismatch(given, schema)
        if misfit is not None:
            self.complaints.add(
                TypeMismatch,
                f"{what} does not fit what is bound to that name.",
                why=f"From {source}: {misfit}.",
                fix="Make the two annotations agree.",
            )
        new.schema = schema
        new.source = source.name if isinstance(source, Operation) else PARAMETER
        made.inputs.append(new)

    def _complain_unbound(self, name: str, where: str) -> None:
        known = ", ".join(sorted({*self.workflow.parameters, *self.outputs}))
        self.complaints.add(
            InputUnbound,
            f"{where} takes {name!r}, which nothing gives.",
            why=f"The operation that gives {name!r} does not run before it."
            if name in self.all_outputs
            else f"At that place there are: {known}."
            if known
            else "There are no parameters and no earlier operations.",
            fix="Correct the name, let an earlier operation return it, declare it as a parameter "
            "(an annotated attribute of the class), or annotate it as Context.",
        )

    # -- outputs ---------------------------------------------------------------

    def _bind_output(self, made: Operation, where: str) -> None:
        what = f"The result of {lower_first(where)}"
        annotation = self._annotation(made.function, "return", what)
        if annotation is not NOTHING:
            made.returns = annotation
            made.returns_schema = self.complaints.schema(output_schema, annotation, what)
        self._check_output(made, where)
        self.outputs[made.output] = made

    def _check_output(self, made: Operation, where: str) -> None:
        self.complaints.check_reserved(f"The output of {lower_first(where)}", made.output)
        if not made.output.isidentifier():
            self.complaints.add(
                NameReserved,
                f"{where} has output={made.output!r}.",
                why="Later operations take it as a parameter, so it must be a Python name.",
                fix="Use letters, digits and underscores.",
            )
        taken = self.outputs.get(made.output) or self.workflow.parameters.get(made.output)
        if taken is not None:
            self.complaints.add(
                OutputDoubled,
                f"{where} gives {made.output!r}, and so does {taken}.",
                why="Later operations take values by name, so a name has one value.",
                fix="Rename one of them, or bind the operation's value to another name: output=.",
            )


def _function(member: Any) -> Any:
    return member.__func__ if isinstance(member, staticmethod | classmethod) else member


def _output(function: Any, options: OperationOptions) -> str:
    return function.__name__ if options.output is None else options.output


def _unfit_kind(function: Any, member: Any) -> str | None:
    if isinstance(member, staticmethod | classmethod):
        return f"a {type(member).__name__}"
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return "a generator"
    if not signature_of(function).parameters:
        return "a method without self"
    return None


def _offer(source: Operation | Parameter) -> tuple[Schema, Any]:
    if isinstance(source, Operation):
        return source.returns_schema or {}, source.returns
    return source.schema, source.annotation
