"""The app whose OpenAPI document tells the truth about errors: all are problem documents."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel

_REF: Final = {"$ref": "#/components/schemas/Problem"}
_PROBLEM: Final = {
    "description": "A problem (RFC 9457)",
    "content": {"application/problem+json": {"schema": _REF}},
}
_NOT_OURS: Final = ("HTTPValidationError", "ValidationError")


class FieldProblem(BaseModel):
    """A field of a request that does not fit."""

    field: str
    message: str


class Problem(BaseModel):
    """Why a request was refused. `code` is stable; what, why and fix are for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    what: str
    why: str
    fix: str
    correlation_id: str
    errors: list[FieldProblem] = []
    problems: list[dict[str, Any]] = []


class App(FastAPI):
    """FastAPI, with problem documents in place of its own description of errors."""

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            described = super().openapi()
            for methods in described["paths"].values():
                for operation in methods.values():
                    _describe(operation["responses"])
            _exchange(described["components"]["schemas"])
        assert self.openapi_schema is not None
        return self.openapi_schema


def _describe(responses: dict[str, Any]) -> None:
    responses.pop("422", None)
    responses["default"] = _PROBLEM


def _exchange(schemas: dict[str, Any]) -> None:
    for name in _NOT_OURS:
        schemas.pop(name, None)
    made = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(made.pop("$defs"))
    schemas["Problem"] = made
