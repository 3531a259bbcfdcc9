"""Whether values fit a workflow's parameters, by the JSON Schema of its manifest entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from jsonschema import FormatChecker

from stepwell.errors import StepwellError
from stepwell.server import fitting
from stepwell.workflows.errors import (
    ParameterInvalid,
    ParameterMissing,
    ParametersInvalid,
    ParameterUnknown,
)

_FORMATS = FormatChecker()
_FORMATS.checks("date-time", ValueError)(lambda text: bool(datetime.fromisoformat(text)))


def check(workflow: str, schema: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Every value fits, none is missing, and there are no others.

    Raises
    ------
    ParametersInvalid : lists each misfit.
    SchemaUnusable : the schema is none.
    """
    problems = [*_unknown(schema, values), *_missing(schema, values), *_misfits(schema, values)]
    if problems:
        raise ParametersInvalid(
            f"These parameters do not fit the workflow {workflow!r}.",
            problems,
            fix="Correct them; nothing was started.",
        )


def _unknown(schema: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[StepwellError]:
    known = schema.get("properties", {})
    for name in values:
        if name not in known:
            yield ParameterUnknown(
                f"There is no parameter {name!r}.",
                fix=f"It takes {', '.join(sorted(known)) or 'none'}.",
            )


def _missing(schema: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[StepwellError]:
    for name in schema.get("required", ()):
        if name not in values:
            yield ParameterMissing(
                f"The parameter {name!r} is missing.", why="It has no default.", fix="Give it."
            )


def _misfits(schema: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[StepwellError]:
    shape = {key: one for key, one in schema.items() if key in ("$defs", "properties", "type")}
    found = fitting.misfits(shape, dict(values), _FORMATS)
    for error in sorted(found, key=lambda one: [str(part) for part in one.absolute_path]):
        place = ".".join(str(part) for part in error.absolute_path)
        yield ParameterInvalid(f"{place or 'The object'} does not fit: {error.message[:300]}.")
