"""The messages between runner and child, as JSON: who asks what, and what is answered.

runner -> child   {"ask": "run" | "parameters", ...}      a request
                  {"answer": ...} | {"error": {...}}      to a call of the child
child -> runner   {"ready": manifest} | {"broken": {...}} once, after the import
                  {"call": "read" | "keys" | "write-now" | "report", ...}   waits for an answer
                  {"tell": "progress", ...}               waits for nothing
                  {"done": {...}} | {"failed": {...}}     the end of a request; a failed one
                                                          may have "reports" to keep
                  {"waits": {...}}                        it stops until it is approved
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from stepwell.workflows.context import Facts, Versioned, Write
from stepwell.workflows.reports import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One execution of an operation, as the child is asked for it; values are plain JSON."""

    facts: Facts
    parameters: dict[str, Any]
    inputs: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What an operation that returned leaves: its value, and what commits with it (R38)."""

    result: Any = None
    writes: list[Write] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)


def write_call(call: Call) -> dict[str, Any]:
    """A call as JSON data."""
    facts = call.facts
    due_at = None if facts.due_at is None else facts.due_at.isoformat()
    plain = {**asdict(facts), "run_id": str(facts.run_id), "due_at": due_at}
    return {"facts": plain, "parameters": call.parameters, "inputs": call.inputs}


def read_call(data: dict[str, Any]) -> Call:
    """A call from JSON data."""
    plain = data["facts"]
    due_at = plain["due_at"] and datetime.fromisoformat(plain["due_at"])
    facts = Facts(**{**plain, "run_id": UUID(plain["run_id"]), "due_at": due_at})
    return Call(facts=facts, parameters=data["parameters"], inputs=data["inputs"])


def write_effects(effects: Effects) -> dict[str, Any]:
    """Effects as JSON data; contents of reports are base64."""
    return {
        "result": effects.result,
        "writes": [asdict(one) for one in effects.writes],
        "reports": write_reports(effects.reports),
    }


def read_effects(data: dict[str, Any]) -> Effects:
    """Effects from JSON data."""
    return Effects(
        result=data["result"],
        writes=[Write(**one) for one in data["writes"]],
        reports=read_reports(data["reports"]),
    )


def write_reports(reports: Iterable[Report]) -> list[dict[str, Any]]:
    """Reports as JSON data."""
    return [{**asdict(one), "content": base64.b64encode(one.content).decode()} for one in reports]


def read_reports(data: Iterable[dict[str, Any]]) -> list[Report]:
    """Reports from JSON data."""
    return [Report(**{**one, "content": base64.b64decode(one["content"])}) for one in data]


def write_versioned(found: Versioned | None) -> Any:
    """A state entry as JSON data."""
    return None if found is None else {"value": found.value, "version": found.version}


def read_versioned(data: Any) -> Versioned | None:
    """A state entry from JSON data."""
    return None if data is None else Versioned(data["value"], data["version"])
