"""The check's first half: the image is discovered twice."""

from __future__ import annotations

from collections.abc import Iterator

from stepwell.cli.conformance.requirements import Finding, judged
from stepwell.cli.conformance.stage import Played

_MANIFEST = "manifest"
_PAGE = "docs/reference/protocol.md"


def first_looks(played: Played) -> Iterator[Finding]:
    """What one discovery shows."""
    error = played.record["error"] or {}
    said = " ".join(error[key] for key in ("what", "why") if error.get(key))
    started = played.launches[0].started_at is not None
    could = started and "could not be started" not in played.launches[0].reason
    yield judged("starts", could, said or played.launches[0].reason, error.get("fix", ""))
    if not could:
        return
    posted = [one for one in played.asked(_MANIFEST) if one.status == 204]
    yield judged(
        "posts-manifest",
        len(posted) == 1 or bool(played.asked(_MANIFEST)),
        f"It posted none. {said}{_tail(played)}",
        f"POST it to $STEPWELL_URL/api/v1/discoveries/$STEPWELL_DISCOVERY_ID/manifest with the "
        f"header Authorization: Bearer $STEPWELL_TOKEN; see {_PAGE}.",
    )
    if not played.asked(_MANIFEST):
        return
    yield judged("manifest-fits", played.good, said, error.get("fix", "") or f"See {_PAGE}.")
    if played.good:
        yield _ends(played)


def _ends(played: Played) -> Finding:
    code, reason = played.launches[0].exit_code, played.launches[0].reason
    return judged(
        "discover-ends",
        code == 0,
        f"{reason}{_tail(played)}",
        "End as soon as the manifest is posted, with exit code 0.",
    )


def same_again(first: Played, second: Played) -> Finding:
    """A review would show differences that are none."""
    before, after = first.record["manifest"], second.record["manifest"]
    where = "It posted no manifest." if after is None else _difference(before, after, "")
    return judged(
        "same-manifest",
        before == after,
        where,
        "Make the manifest of what is declared alone: no instants, no random order.",
    )


def _difference(before: object, after: object, path: str) -> str:
    """Where two JSON values first differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *after]:
            if before.get(key) != after.get(key):
                return _difference(before.get(key), after.get(key), f"{path}/{key}")
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            if one != other:
                return _difference(one, other, f"{path}/{place}")
    return f"{path or '/'} was {str(before)[:100]!r} and is {str(after)[:100]!r}."


def _tail(played: Played) -> str:
    lines = "\n".join(played.output.rstrip().splitlines()[-10:])
    return f"\nIt wrote:\n{lines}" if lines else " It wrote nothing."
