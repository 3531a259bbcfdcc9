"""The app whose OpenAPI document tells the truth about errors: all are problem documents."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from stepwell.server.examples import explain

PREFIX: Final = "/api/v1"
"""Where the API is."""

_REF: Final = {"$ref": "#/components/schemas/Problem"}
_PROBLEM: Final = {
    "description": "A problem (RFC 9457)",
    "content": {"application/problem+json": {"schema": _REF}},
}
_NOT_OURS: Final = ("HTTPValidationError", "ValidationError")


TAGS: Final[list[dict[str, Any]]] = [
    {"name": name, "description": what}
    for name, what in {
        "summary": "Whether everything is all right.",
        "first-run": "How far a new server has come, and a demo to try it with.",
        "health": "Whether the server works.",
        "groups": "Workflow groups: what is registered.",
        "discoveries": "What was found in the images of groups.",
        "reviews": "What differs from the current release, and what was decided about it.",
        "workflows": "What is in force, and how it went lately.",
        "schedules": "When workflows run, and what became of each due instant.",
        "runs": "What ran, runs and waits.",
        "causes": "What failed, by cause.",
        "bulk": "One action on many runs.",
        "views": "Saved queries of runs.",
        "events": "What changes, while it happens.",
        "state": "What operations have saved.",
        "reports": "What operations have reported.",
        "metrics": "How often, how long, how well.",
        "logs": "What the containers of runs have written.",
        "notifications": "Whom to tell of what.",
        "launchers": "What starts images, and what it may do where it works.",
        "sources": "Where images of groups are looked for.",
        "steps": "The steps themselves, also those of other programs on this database.",
        "controls": "What operators say about queues and keys of steps.",
        "login": "How people of a browser come in.",
        "users": "The people.",
        "access": "Who may do what.",
        "retention": "How long things are kept.",
        "audit": "Who did what.",
        "containers": "For the containers of runs, with a run token; for nobody else.",
    }.items()
]
"""Every tag of a route, in the order in which a reader wants them."""


_NAMES: Final = {
    ("audit", "list_entries"): "list_audit",
    ("state", "list_entries"): "list_state",
    ("state", "show"): "show_state",
    ("state", "edit"): "edit_state",
    ("state", "history"): "show_state_history",
    ("reports", "show"): "show_report",
    ("reports", "content"): "show_report_content",
    ("reports", "latest"): "show_latest_report",
    ("runs", "run_now"): "start_run",
    ("schedules", "run_now"): "run_schedule_now",
    ("metrics", "measured"): "show_metrics",
    ("reviews", "decide"): "decide_discovery",
    ("events", "listen"): "listen_to_events",
    ("access", "me"): "show_me",
    ("health", "health"): "show_health",
    ("notifications", "list_targets"): "list_notification_targets",
    ("summary", "summarize"): "show_summary",
}
"""What a function of a room is called where the room's name is not there to say what it is of."""


SCHEMAS: Final = {
    "audit.records.Entry": "AuditEntry",
    "causes.records.Cause": "Cause",
    "causes.records.Causes": "Causes",
    "causes.records.Mute": "CauseMute",
    "causes.records.NewMute": "NewCauseMute",
    "groups.api.Registered": "RegisteredGroup",
    "metrics.records.Cause": "MetricCause",
    "metrics.records.Causes": "MetricCauses",
    "metrics.records.Change": "MetricChange",
    "metrics.records.NewTarget": "NewObjective",
    "metrics.records.Order": "MetricOrder",
    "metrics.records.Waiting": "MetricWaiting",
    "notifications.records.Kind": "NotificationKind",
    "notifications.records.Mute": "NotificationMute",
    "notifications.records.NewMute": "NewNotificationMute",
    "notifications.records.NewTarget": "NewNotificationTarget",
    "retention.records.Mark": "RetentionMark",
    "reviews.changes.Change": "ReviewChange",
    "reviews.changes.Difference": "ReviewDifference",
    "reviews.changes.Kind": "ReviewChangeKind",
    "reviews.records.Kind": "ReviewKind",
    "reviews.records.Waiting": "ReviewWaiting",
    "runs.approvals.Answer": "ApprovalAnswer",
    "runs.comparing.Difference": "RunDifference",
    "runs.limits.Kind": "RunLimitKind",
    "runs.planning.Mark": "RunPlanMark",
    "runs.records.NewRun": "NewRun",
    "runs.records.Waiting": "RunWaiting",
    "schedules.backfills.records.Order": "BackfillOrder",
    "schedules.downtimes.records.Answer": "DowntimeAnswer",
    "schedules.records.NewRun": "NewScheduleRun",
    "schedules.strip.records.Mark": "FireMark",
    "sources.records.Registered": "RegisteredSource",
    "state.records.Entry": "StateEntry",
    "summary.records.Waiting": "SummaryWaiting",
}
"""What models of one name are called in generated clients: by where they are."""

_OF_A_MODULE: Final = "stepwell__server__"


def operation_id(route: APIRoute) -> str:
    """The name of a route in generated clients: a verb and a noun, unlike all others."""
    tag, name = str(route.tags[0] if route.tags else ""), route.name
    return _NAMES.get((tag, name), name if "_" in name else f"{name}_{tag}")


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
            self.openapi_schema = described = _called(described)
            explain(described)
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


def _called(described: dict[str, Any]) -> dict[str, Any]:
    """The document with a plain name for each schema: no module's, and a page by what is on it."""
    schemas = described["components"]["schemas"]
    names = {name: _plain(name) for name in schemas}
    for name, schema in schemas.items():
        if "Page_" in name:
            item = schema["properties"]["items"]["items"]["$ref"].rpartition("/")[2]
            names[name] = f"{names[item]}Page"
    assert len(set(names.values())) == len(names), "two schemas would have one name"
    told: dict[str, Any] = _renamed(described, {f"{_AT}{k}": f"{_AT}{v}" for k, v in names.items()})
    told["components"]["schemas"] = {
        names[name]: {**schema, **({"title": names[name]} if names[name] != name else {})}
        for name, schema in told["components"]["schemas"].items()
    }
    return told


_AT: Final = "#/components/schemas/"


def _plain(name: str) -> str:
    module = name.removeprefix(_OF_A_MODULE).replace("__", ".")
    return name if module == name else SCHEMAS.get(module, name)


def _renamed(part: Any, references: dict[str, str]) -> Any:
    if isinstance(part, dict):
        return {key: _renamed(one, references) for key, one in part.items()}
    if isinstance(part, list):
        return [_renamed(one, references) for one in part]
    return references.get(part, part) if isinstance(part, str) else part
