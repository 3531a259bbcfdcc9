"""What the audit log tells of each change: before and after, or why there is neither.

That entries have the shape that their action promises is looked at in every test of the
server: see the fixture `audited` in its conftest.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from stepwell.server.audit.actions import ACTIONS, Shape, fault

ROOT: Final = Path(__file__).parents[3]
SERVER: Final = ROOT / "src" / "stepwell" / "server"

OWN: Final = (
    "A container tells of its own work under its run's token; the run's rows are the record."
)
LOOK: Final = "It changes nothing: what would be, or whether something can be reached."
MINE: Final = "What a person's own screens begin with; nobody else sees a difference."

ROUTES: Final[dict[str, tuple[str, ...] | str]] = {
    "POST /backfills/{backfill_id}/cancellations": ("schedule.backfill-end",),
    "POST /bulk": ("bulk.cancel", "bulk.label", "bulk.reexecute", "bulk.repeat"),
    "POST /bulk/{bulk_id}/cancellations": ("bulk.stop",),
    "POST /calendars": ("calendar.add",),
    "DELETE /calendars/{name}": ("calendar.remove",),
    "PATCH /calendars/{name}": ("calendar.change",),
    "DELETE /causes/{fingerprint}/mutes": ("cause.unmute",),
    "POST /causes/{fingerprint}/mutes": ("cause.mute",),
    "DELETE /controls": ("control.remove",),
    "POST /controls": ("control.set",),
    "POST /discoveries/{discovery_id}/error": OWN,
    "POST /discoveries/{discovery_id}/manifest": OWN,
    "POST /groups": ("group.register", "discovery.request"),
    "POST /groups/{group}/schedule-plans": ("schedule.add", "schedule.change"),
    "PATCH /groups/{name}": ("group.change",),
    "POST /groups/{name}/archivals": ("group.archive",),
    "POST /groups/{name}/discoveries": ("discovery.request",),
    "POST /groups/{name}/discoveries/{discovery_id}/comments": ("review.comment",),
    "POST /groups/{name}/discoveries/{discovery_id}/decisions": (
        "review.decide",
        "review.propose",
        "schedule.created",
        "schedule.deactivated",
        "schedule.kept",
        "schedule.moved",
        "schedule.reactivated",
        "schedule.updated",
    ),
    "POST /groups/{name}/discoveries/{discovery_id}/trials": ("review.try",),
    "POST /groups/{name}/proposals/{proposal_id}/confirmations": ("review.confirm",),
    "POST /groups/{name}/proposals/{proposal_id}/refusals": ("review.refuse",),
    "POST /groups/{name}/releases/{number}/decisions": ("release.rollback",),
    "POST /groups/{name}/restorations": ("group.restore",),
    "POST /groups/{name}/rollbacks": ("release.rollback",),
    "DELETE /first-run/demo": ("demo.remove", "group.archive"),
    "POST /first-run/demo": ("group.register", "group.restore", "discovery.request"),
    "POST /login": ("session.begin", "session.refuse"),
    "POST /login/exchanges": ("token.issue",),
    "POST /login/first": ("user.create", "user.password", "session.begin"),
    "POST /login/links": ("session.begin",),
    "POST /login/tokens": ("token.issue",),
    "POST /logout": ("session.end",),
    "POST /notifications/mutes": ("notification.mute",),
    "DELETE /notifications/mutes/{cause}": ("notification.unmute",),
    "POST /notifications/rules": ("notification-rule.add",),
    "DELETE /notifications/rules/{rule_id}": ("notification-rule.remove",),
    "POST /notifications/targets": ("notification-target.add",),
    "DELETE /notifications/targets/{name}": ("notification-target.remove",),
    "POST /notifications/targets/{name}/secrets": ("notification-target.renew-secret",),
    "POST /notifications/targets/{name}/tests": ("notification-target.test",),
    "POST /password-resets": ("user.password",),
    "POST /passwords": ("user.password",),
    "POST /reports/{report_id}/shares": ("report.share",),
    "DELETE /retention/{kind}": ("retention.change",),
    "PATCH /retention/{kind}": ("retention.change",),
    "DELETE /run-limits": ("run-limit.remove",),
    "POST /run-limits": ("run-limit.set",),
    "PATCH /runs/{run_id}": ("run.change",),
    "POST /runs/{run_id}/approvals": ("run.approve", "run.reject"),
    "POST /runs/{run_id}/blobs": OWN,
    "POST /runs/{run_id}/cancellations": ("run.cancel",),
    "DELETE /runs/{run_id}/keeps": ("run.let-go",),
    "POST /runs/{run_id}/keeps": ("run.keep",),
    "POST /runs/{run_id}/logs/segments": OWN,
    "POST /runs/{run_id}/progress": OWN,
    "POST /runs/{run_id}/reexecutions": ("run.re-execute",),
    "POST /runs/{run_id}/repeats": ("run.repeat",),
    "POST /runs/{run_id}/staged": OWN,
    "POST /runs/{run_id}/store/{verb}": OWN,
    "POST /schedule-previews": LOOK,
    "POST /schedules/downtimes/{downtime_id}/answers": ("downtime.answer", "schedule.backfill"),
    "POST /step-jobs/{step_id}/assignments": OWN,
    "POST /step-jobs/{step_id}/outcomes": OWN,
    "POST /schedules": ("schedule.add",),
    "DELETE /schedules/{schedule_id}": ("schedule.remove",),
    "PATCH /schedules/{schedule_id}": ("schedule.change",),
    "POST /schedules/{schedule_id}/backfill-previews": LOOK,
    "POST /schedules/{schedule_id}/backfills": ("schedule.backfill",),
    "POST /schedules/{schedule_id}/fires": ("schedule.backfill",),
    "POST /schedules/{schedule_id}/labels": ("schedule.label",),
    "DELETE /schedules/{schedule_id}/override": ("schedule.end-override",),
    "DELETE /schedules/{schedule_id}/pauses": ("schedule.resume",),
    "POST /schedules/{schedule_id}/pauses": ("schedule.pause",),
    "POST /schedules/{schedule_id}/runs": ("schedule.run",),
    "DELETE /schedules/{schedule_id}/skips": ("schedule.end-skips",),
    "POST /schedules/{schedule_id}/skips": ("schedule.skip",),
    "POST /sessions/{session_id}/revocations": ("session.end",),
    "POST /source-images/{image_id}/dismissals": ("source.dismiss",),
    "POST /source-images/{image_id}/registrations": ("group.register", "discovery.request"),
    "POST /source-tests": LOOK,
    "POST /sources": ("source.add",),
    "PATCH /sources/{name}": ("source.change",),
    "POST /sources/{name}/removals": ("source.remove",),
    "POST /sources/{name}/scans": ("source.scan",),
    "POST /sources/{name}/tests": LOOK,
    "POST /state/{group}/edits": ("state.edit", "state.delete"),
    "POST /state/{group}/imports": ("state.import", "state.edit"),
    "POST /state/{group}/restores": ("state.edit",),
    "POST /steps/{step_id}/activations": ("step.activate",),
    "POST /steps/{step_id}/endings": ("step.end",),
    "POST /steps/{step_id}/re-executions": ("step.re-execute",),
    "POST /steps/{step_id}/reschedulings": ("step.reschedule",),
    "DELETE /targets/{group}/{workflow}": ("targets.drop",),
    "PUT /targets/{group}/{workflow}": ("targets.set",),
    "POST /tokens": ("token.issue",),
    "POST /tokens/{token_id}/revocations": ("token.revoke",),
    "POST /users": ("user.create", "user.link"),
    "PATCH /users/{user_id}": ("user.change",),
    "POST /users/{user_id}/links": ("user.link",),
    "POST /views": ("view.share",),
    "PUT /views/default": MINE,
    "DELETE /views/{view_id}": ("view.remove",),
    "PATCH /views/{view_id}": ("view.change",),
    "POST /workflows/{group}/{workflow}/badges": ("badge.share",),
    "POST /workflows/{group}/{workflow}/runs": ("run.start",),
}
UNASKED: Final = {"audit.sweep", "database.restore"}
"""Actions that no route has: of the server itself, and of a command on its machine."""


def changing_routes() -> list[str]:
    paths = json.loads((ROOT / "openapi.json").read_text())["paths"]
    return [
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, methods in paths.items()
        for method in methods
        if method in {"post", "put", "patch", "delete"}
    ]


def recorded() -> Iterator[tuple[str, str]]:
    """Where an entry is written or asked for, and its action as a pattern."""
    for path in SERVER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            for text in _texts(node):
                if re.fullmatch(r"[a-z*-]+\.[a-z*-]+", text) and _writes(node):
                    yield path.name, text


def _texts(node: ast.AST) -> Iterator[str]:
    values = (
        [*node.args, *(one.value for one in node.keywords)] if isinstance(node, ast.Call) else []
    )
    for one in values:
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value
        elif isinstance(one, ast.JoinedStr):
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else "*" for p in one.values)


def _writes(node: ast.AST) -> bool:
    name = (
        node.func.attr
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        else ""
    )
    return name in {"record", "told"}


def test_every_route_that_changes_something_leaves_an_entry_or_says_why_not() -> None:
    assert sorted(ROUTES) == sorted(changing_routes())
    told = {one for given in ROUTES.values() if isinstance(given, tuple) for one in given}
    assert told - ACTIONS.keys() == set()
    assert ACTIONS.keys() - told == UNASKED


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_tells_before_and_after_or_why_there_is_neither(action: str) -> None:
    kind = ACTIONS[action]
    assert isinstance(kind, Shape) or kind.endswith(".")


def test_whatever_the_code_writes_into_the_log_is_in_the_list() -> None:
    found = list(recorded())
    assert len(found) > 60
    unknown = {
        (place, action)
        for place, action in found
        if not any(re.fullmatch(action.replace("*", "[a-z-]+"), known) for known in ACTIONS)
    }
    assert unknown == set()


def test_an_entry_that_lacks_a_side_is_found_out() -> None:
    assert fault("run.cancel", {"state": "running"}, {"state": "cancelled"}) is None
    assert fault("run.cancel", None, {"state": "cancelled"}) is not None
    assert fault("run-limit.set", None, {"slots": 1}) is None
    assert fault("calendar.remove", {"days": {}}, {}) is not None
    assert fault("run.start", None, {"run": 1}) is not None
    assert fault("run.fly", None, None) is not None
