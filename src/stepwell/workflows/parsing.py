"""Values that a person gave, text included, as a workflow's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from stepwell.errors import StepwellError
from stepwell.workflows.bound import Parameter, Workflow
from stepwell.workflows.errors import (
    ParameterInvalid,
    ParameterMissing,
    ParametersInvalid,
    ParameterUnknown,
)
from stepwell.workflows.schema import adapter, reason, type_name, write


def parse(workflow: Workflow, values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as plain JSON, with defaults filled in.

    A text is read as the annotated type, and where that fails, as JSON: '5' is an
    int, '[1, 2]' a list.

    Raises
    ------
    ParametersInvalid : with every unknown, missing or misfitting one.
    """
    problems: list[StepwellError] = [
        _unknown(name, workflow) for name in values if name not in workflow.parameters
    ]
    parsed: dict[str, Any] = {}
    for name, parameter in workflow.parameters.items():
        try:
            parsed[name] = _value(parameter, values, workflow)
        except StepwellError as error:
            problems.append(error)
    if problems:
        raise ParametersInvalid(f"{workflow.name!r} cannot run with these parameters.", problems)
    return parsed


def _value(parameter: Parameter, values: Mapping[str, Any], workflow: Workflow) -> Any:
    if parameter.name in values:
        return _parsed(parameter, values[parameter.name])
    if parameter.required:
        raise ParameterMissing(
            f"The parameter {parameter.name!r} of {workflow.name!r} is not given.",
            why="It has no default.",
            fix=f"Give a value of the type {type_name(parameter.annotation)}.",
        )
    return parameter.default


def _parsed(parameter: Parameter, value: Any) -> Any:
    using = adapter(parameter.annotation)
    try:
        read = using.validate_python(value)
    except ValidationError as error:
        read = _from_json(parameter, value, error)
    return write(parameter.annotation, read, f"The parameter {parameter.name!r}")


def _from_json(parameter: Parameter, value: Any, error: ValidationError) -> Any:
    try:
        if isinstance(value, str):
            return adapter(parameter.annotation).validate_json(value)
    except ValidationError:
        pass  # the first error speaks of the value as it was written
    raise ParameterInvalid(
        f"The parameter {parameter.name!r} does not fit {type_name(parameter.annotation)}.",
        why=reason(error),
        fix="Give a value of that type.",
    )


def _unknown(name: str, workflow: Workflow) -> ParameterUnknown:
    known = ", ".join(workflow.parameters)
    return ParameterUnknown(
        f"{workflow.name!r} has no parameter {name!r}.",
        fix=f"It has: {known}." if known else "It has none: leave it out.",
    )
