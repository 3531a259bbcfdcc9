"""The check's second half: a workflow is run, undisturbed and then with interference."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from jsonschema import Draft202012Validator

from stepwell.cli.conformance.requirements import Finding, judged, not_tested
from stepwell.cli.conformance.stage import GRACE, Played, Stage
from stepwell.cli.conformance.tap import Exchange, Halt, Meddling, Outage, Revocation

SIGKILL: Final = -9
LONGEST_GAP: Final = 4.0
"""Seconds between two beats; an engine that others have not heard of for 8 is dead (R10)."""

NO_SERVER: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is run: the group, one of its workflows as in the manifest, and its parameters."""

    group: str
    workflow: Mapping[str, Any]
    parameters: Mapping[str, Any]

    @property
    def name(self) -> str:
        """`group/workflow`."""
        return f"{self.group}/{self.workflow['name']}"

    @property
    def operations(self) -> list[str]:
        """Names in order."""
        return [one["name"] for one in self.workflow["operations"]]


def undisturbed(stage: Stage, subject: Subject) -> Iterator[Finding]:
    """One run as runs usually are."""
    played = stage.run(subject.name, subject.parameters, Meddling())
    asked = [one.verb for one in played.exchanges]
    yield judged(
        "asks-assignment",
        asked[:1] == ["assignment"],
        f"Its first request was {asked[0]}." if asked else f"It asked nothing.{_said(played)}",
        "GET $STEPWELL_URL/api/v1/runs/$STEPWELL_RUN_ID/assignment says what to run.",
    )
    yield _joins_first(asked)
    yield _runs_operations(played, subject)
    yield _results_fit(played, subject)
    yield _settles_once(played)
    yield _no_refusals(played)
    yield _leaves(played)


def disturbed(stage: Stage, subject: Subject) -> Iterator[Finding]:
    """A server that is away, and one whose answer comes late and is lost."""
    meddling = Outage()
    played = stage.run(subject.name, subject.parameters, meddling)
    claims = played.asked("store/claim")
    yield judged(
        "outlives-outage",
        len(claims) > 1 and played.ended and len(played.launches) == 1,
        f"After one answer with status 503 it did not claim again.{_said(played)}",
        "Send a request again after a pause, with growing pauses, when it gets no answer or 5xx.",
    )
    if not meddling.held_to:
        return
    yield _beats(played, meddling)
    again = [one for one in played.asked("store/settle") if _claims(one) == _lost_claims(played)]
    same = len(again) > 1 and again[0].body == again[1].body
    yield judged(
        "repeats-lost-answer",
        same and played.good,
        f"The same settlement came {len(again)} times, and the run {_state(played)}."
        f"{'' if same or len(again) < 2 else ' It was not the same.'}",
        "Keep the body of a settlement until it is answered, and send exactly that again.",
    )


def halted(stage: Stage, subject: Subject) -> Iterator[Finding]:
    """It is told to stop after the first operation, and started again."""
    if len(subject.operations) < 2:
        why = "The workflow has one operation only."
        yield not_tested("stops-on-sigterm", why)
        yield not_tested("resumes", why)
        return
    meddling = Halt()

    def stop(run_id: str) -> None:
        if meddling.reached.wait(stage.patience):
            stage.stop(f"{run_id}-1")

    played = stage.run(subject.name, subject.parameters, meddling, stop)
    first = played.launches[0]
    if len(played.launches) < 2 and played.ended:
        yield not_tested("stops-on-sigterm", "It had ended before it could be stopped.")
        yield not_tested("resumes", "It had ended before it could be stopped.")
        return
    yield judged(
        "stops-on-sigterm",
        first.state == "ended" and first.exit_code not in (None, SIGKILL),
        f"{first.reason} Its exit code was {first.exit_code}.",
        f"Handle SIGTERM: give claims back, leave, and end within {GRACE:g} s with 143.",
    )
    doubled = _ended_by(played, attempt=1) & _ended_by(played, attempt=2)
    yield judged(
        "resumes",
        played.good and not doubled and len(played.launches) == 2,
        f"The run {_state(played)} after {len(played.launches)} starts; {len(doubled)} operations "
        f"were settled by both.{_said(played)}",
        "Begin with what a claim gives, not with the first operation.",
    )


def refused(stage: Stage, subject: Subject) -> Iterator[Finding]:
    """Its token is revoked while it works."""
    meddling = Revocation()
    ended_in_time = [False]

    def watch(run_id: str) -> None:
        name = f"{run_id}-1"
        if stage.within(stage.patience, lambda: meddling.refused_at is not None):
            ended = stage.within(GRACE, lambda: stage.status(name).state == "ended")
            ended_in_time[0] = ended
        stage.stop(name)

    played = stage.run(subject.name, subject.parameters, meddling, watch)
    first = played.launches[0] if played.launches else None
    if meddling.refused_at is None or first is None:
        return
    yield judged(
        "obeys-refusal",
        ended_in_time[0] and first.exit_code == NO_SERVER,
        f"{first.reason} Its exit code was {first.exit_code}."
        if ended_in_time[0]
        else f"It went on for {GRACE:g} s.",
        "End at once on 401 and 403 with exit code 3: a newer attempt may be at work.",
    )


def _joins_first(asked: list[str]) -> Finding:
    first = [verb for verb in asked if verb in ("store/join", "store/claim")][:1]
    why = "It claimed before it had joined." if first else "It never joined."
    fix = "POST .../store/join with an id of its own before the first claim."
    return judged("joins-first", first == ["store/join"], why, fix)


def _runs_operations(played: Played, subject: Subject) -> Finding:
    ran = [step["operation"] for step in played.steps if step["ended_as"] is not None]
    return judged(
        "runs-operations",
        played.good and ran == subject.operations,
        f"The run {_state(played)}; of {', '.join(subject.operations)} it has ended "
        f"{', '.join(ran) or 'none'}.{_said(played)}",
        "Settle each operation with the next one as its addition, in the order of the manifest.",
    )


def _results_fit(played: Played, subject: Subject) -> Finding:
    schemas = {one["name"]: one["returns"] for one in subject.workflow["operations"]}
    faults = []
    for step in played.steps:
        schema = schemas.get(step["operation"])
        if step["ended_as"] == "done" and schema is not None:
            error = next(Draft202012Validator(schema).iter_errors(step["result"]), None)
            faults += [] if error is None else [f"{step['operation']}: {error.message[:200]}"]
    if not any(step["ended_as"] == "done" for step in played.steps):
        return not_tested("results-fit", "No operation has ended well.")
    fix = "Return what the manifest says, or correct the manifest."
    return judged("results-fit", not faults, "; ".join(faults), fix)


def _settles_once(played: Played) -> Finding:
    claims = [claim for one in played.asked("store/settle") for claim in _claims(one)]
    doubled = len(claims) - len(set(claims))
    if not claims:
        return not_tested("settles-once", "It has settled nothing.")
    why = f"{doubled} of {len(claims)} settlements came twice though they were answered."
    return judged("settles-once", doubled == 0, why, "Settle a claim again only if no answer came.")


def _no_refusals(played: Played) -> Finding:
    wrong = [one for one in played.exchanges if one.status >= 400]
    why = "; ".join(_refusal(one) for one in wrong[:3])
    fix = "Compare the request with docs/reference/protocol.schema.json."
    return judged("no-refusals", not wrong, why, fix)


def _refusal(one: Exchange) -> str:
    told = one.answer if isinstance(one.answer, dict) else {}
    words = " ".join(str(told[key]) for key in ("what", "why") if told.get(key))
    return f"{one.method} {one.verb} was answered with {one.status}: {words}"[:600]


def _leaves(played: Played) -> Finding:
    code = played.launches[0].exit_code if played.launches else None
    left = bool(played.asked("store/leave"))
    said = "" if left else "It did not leave. "
    return judged(
        "leaves",
        left and code == 0 and len(played.launches) == 1,
        f"{said}Its exit code was {code}, after {len(played.launches)} starts.{_said(played)}",
        "When a claim gives nothing and nothing is due soon, POST .../store/leave and end with 0.",
    )


def _beats(played: Played, meddling: Outage) -> Finding:
    inside = [
        one.at
        for one in played.asked("store/beat")
        if meddling.held_from <= one.at <= meddling.held_to
    ]
    instants = [meddling.held_from, *inside, meddling.held_to]
    gap = max(after - before for before, after in pairwise(instants))
    return judged(
        "beats",
        gap <= LONGEST_GAP,
        f"While an answer took {meddling.HOLD:g} s, {gap:.1f} s passed without a beat.",
        "POST .../store/beat every 2 s from a timer or thread of its own.",
    )


def _claims(one: Exchange) -> tuple[str, ...]:
    """The claims that a request settles, as text that can be compared."""
    settlements = one.body.get("settlements") if isinstance(one.body, dict) else None
    return tuple(json.dumps(s.get("claim"), sort_keys=True) for s in settlements or ())


def _lost_claims(played: Played) -> tuple[str, ...]:
    return next((_claims(one) for one in played.asked("store/settle") if one.lost), ())


def _ended_by(played: Played, attempt: int) -> set[str]:
    """The steps that an attempt has settled for good."""
    return {
        one["claim"]["step_id"]
        for exchange in played.asked("store/settle")
        if exchange.attempt == attempt and exchange.status == 200
        for one in exchange.body["settlements"]
        if one["ended_as"] is not None
    }


def _state(played: Played) -> str:
    state = played.record["state"]
    said = f"{state}: {played.record['reason']}" if played.record.get("reason") else state
    return said if played.ended else f"did not end ({state})"


def _said(played: Played) -> str:
    lines = "\n".join(played.output.rstrip().splitlines()[-10:])
    return f"\nIt wrote:\n{lines}" if lines else " It wrote nothing."
