"""A declaration becomes a workflow that can run; every mistake is collected, not only the first.

Manifest and child process are both made from what `bind` returns.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, get_origin

from stepwell.annotated import annotations_of, signature_of
from stepwell.workflows.bound import Parameter, Workflow
from stepwell.workflows.complaints import Complaints
from stepwell.workflows.decorators import OperationOptions, options_of
from stepwell.workflows.errors import OptionInvalid, TypeMismatch, ValueMisfit, WorkflowInvalid
from stepwell.workflows.group import Declaration
from stepwell.workflows.names import kebab
from stepwell.workflows.schema import Schema, input_schema, write
from stepwell.workflows.wiring import Wiring


def bind(declaration: Declaration, complaints: Complaints) -> Workflow:
    """A workflow as it will run; what is wrong with it is added to `complaints`."""
    workflow = Workflow(kebab(declaration.cls.__name__), declaration.cls, declaration)
    _check_class(workflow, complaints)
    _bind_parameters(workflow, complaints)
    marked = _ordered(list(_marked(declaration.cls)), workflow, complaints)
    wiring = Wiring(workflow, complaints, _namespace(declaration.cls), marked)
    for member, options in marked:
        wiring.add(member, options)
    return workflow


def _namespace(cls: type) -> Mapping[str, Any]:
    module = sys.modules.get(cls.__module__)
    return {} if module is None else vars(module)


def _check_class(workflow: Workflow, complaints: Complaints) -> None:
    label = workflow.cls.__name__
    complaints.check_name("workflow", label, workflow.name)
    try:
        signature_of(workflow.cls).bind()
    except TypeError as error:
        complaints.add(
            WorkflowInvalid,
            f"The workflow {label} cannot be made: {error}.",
            why="Its class is called without arguments before each operation.",
            fix="Give the arguments of __init__ defaults, or declare parameters as annotated "
            "attributes of the class.",
        )
    if not any(True for _ in _marked(workflow.cls)):
        complaints.add(
            WorkflowInvalid,
            f"The workflow {label} has no operations.",
            fix="Decorate at least one of its methods with @operation.",
        )


def _bind_parameters(workflow: Workflow, complaints: Complaints) -> None:
    module, local = _namespace(workflow.cls), vars(workflow.cls)
    for name, annotation in _annotated(workflow.cls).items():
        where = f"The parameter {name!r} of {workflow.cls.__name__}"
        complaints.check_reserved(where, name)
        kind = complaints.resolved(annotation, where, module, local)
        schema = complaints.schema(input_schema, kind, where)
        if schema is not None:
            made = _parameter(workflow.cls, name, kind, schema)
            workflow.parameters[name] = made
            _add_default(workflow.cls, made, where, complaints)


def _annotated(cls: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__[:-1]):
        found.update(annotations_of(base))
    return {
        name: annotation
        for name, annotation in found.items()
        if not name.startswith("_") and not _is_class_variable(annotation)
    }


def _is_class_variable(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.replace("typing.", "").startswith("ClassVar")
    return annotation is ClassVar or get_origin(annotation) is ClassVar


def _parameter(cls: type, name: str, kind: Any, schema: Schema) -> Parameter:
    return Parameter(name, kind, schema, required=not hasattr(cls, name))


def _add_default(cls: type, made: Parameter, where: str, complaints: Complaints) -> None:
    if made.required:
        return
    try:
        made.default = write(made.annotation, getattr(cls, made.name), "The default")
    except ValueMisfit as error:
        complaints.add(
            TypeMismatch,
            f"{where} has a default that does not fit its type.",
            why=str(error),
            fix="Change the annotation or the default.",
        )
    made.schema = {**made.schema, "default": made.default}


def _marked(cls: type) -> Iterator[tuple[Any, OperationOptions]]:
    """The operations as written: a base class's first, an override in its first place."""
    names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
    for name in names:
        member = inspect.getattr_static(cls, name)
        options = options_of(member)
        if options is not None:
            yield member, options


def _ordered(
    marked: list[tuple[Any, OperationOptions]], workflow: Workflow, complaints: Complaints
) -> list[tuple[Any, OperationOptions]]:
    orders = [options.order for _, options in marked if options.order is not None]
    if not orders:
        return marked
    if len(orders) < len(marked) or len(set(orders)) < len(orders):
        complaints.add(
            OptionInvalid,
            f"The operations of {workflow.cls.__name__} have no clear order.",
            why="Some have order= and some have none, or two have the same.",
            fix="Give each operation a different order=, or none of them.",
        )
    return sorted(marked, key=lambda one: one[1].order or 0)
