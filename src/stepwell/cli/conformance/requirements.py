"""What an image must do, one sentence each, and what came of looking at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

Verdict: TypeAlias = Literal["passed", "failed", "not tested"]

REQUIREMENTS: Final[dict[str, str]] = {
    "starts": "It can be started.",
    "posts-manifest": "In discover mode it posts one manifest, with the token that it was given.",
    "manifest-fits": "The manifest fits the published schema, and names nothing twice.",
    "discover-ends": "Then it ends by itself with exit code 0.",
    "same-manifest": "Discovered again it posts the same manifest.",
    "asks-assignment": "In run mode it first asks for its assignment.",
    "joins-first": "It joins as an engine before it claims.",
    "runs-operations": "It runs every operation of the workflow, in their order.",
    "results-fit": "Each result is JSON that fits the operation's `returns`.",
    "settles-once": "It settles each claim once, with all that follows from it.",
    "no-refusals": "None of its requests is refused.",
    "leaves": "It leaves when nothing is due, and ends with exit code 0.",
    "beats": "It beats at least every 4 seconds while it holds a claim, whatever it waits for.",
    "outlives-outage": "A server that is away for a moment is waited for.",
    "repeats-lost-answer": "A settlement whose answer was lost is sent again as it was.",
    "stops-on-sigterm": "SIGTERM ends it within 10 seconds.",
    "resumes": "Started again, it goes on at the first operation that is not done.",
    "obeys-refusal": "A token that is refused ends it within 10 seconds, with exit code 3.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One requirement, and how the image did; a failure says why, and how to mend it."""

    requirement: str
    verdict: Verdict
    why: str = ""
    fix: str = ""

    def as_json(self) -> dict[str, Any]:
        """With the sentence of the requirement, as `--json` prints it."""
        return {
            "requirement": self.requirement,
            "what": REQUIREMENTS[self.requirement],
            "verdict": self.verdict,
            "why": self.why,
            "fix": self.fix,
        }


def judged(requirement: str, ok: bool, why: str, fix: str) -> Finding:
    """Passed; or failed, and then `why` and `fix` count."""
    if ok:
        return Finding(requirement=requirement, verdict="passed")
    return Finding(requirement=requirement, verdict="failed", why=why, fix=fix)


def not_tested(requirement: str, why: str) -> Finding:
    """What could not be looked at, and why."""
    return Finding(requirement=requirement, verdict="not tested", why=why)


def complete(found: Sequence[Finding], why: str) -> list[Finding]:
    """One finding for each requirement, in order; those without any were not tested."""
    by_name = {one.requirement: one for one in found}
    return [by_name.get(name) or not_tested(name, why) for name in REQUIREMENTS]
