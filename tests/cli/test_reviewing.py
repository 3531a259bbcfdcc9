"""A review is read, tried, talked about and decided on the command line."""

from __future__ import annotations

from pathlib import Path

from tests.cli.shell import Shell
from tests.cli.test_mistakes import refused

from stepwell.cli.exits import Exit
from stepwell.cli.groups.reviewing import listed

SOURCE = """from stepwell.workflows import Context, WorkflowGroup, operation

group = WorkflowGroup("{name}")


@group.workflow
class Turn:
    limit: int = 1

    @operation
    def go(self, limit: int, ctx: Context) -> int:
        ctx.state.save("seen", limit)
        return limit
"""


def registered(served: Shell, folder: Path, name: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(SOURCE.format(name=name))
    served.good("groups", "register", path)
    return path


def test_what_was_discovered_is_tried_and_talked_about_before_it_is_approved(
    served: Shell, tmp_path: Path
) -> None:
    registered(served, tmp_path, "tried")
    review = served.good("groups", "review", "tried").out
    assert "+ turn: new" in review
    waiting = {one["group"]: one for one in served.good("groups", "reviews", "--json").json}
    assert waiting["tried"]["pending"] == ["turn"]
    [line] = [one for one in served.good("groups", "reviews").out.splitlines() if "tried" in one]
    assert "1 added" in line
    assert "stepwell groups try tried turn" in review
    words = ("groups", "try", "tried", "turn", "-p", "limit=7", "--wait", "--json")
    run = served.good(*words).json
    assert (run["state"], run["trigger"], run["operations"][0]["result"]) == (
        "succeeded",
        "trial",
        7,
    )
    assert "seen" not in served.good("state", "list", "tried").out
    served.good("groups", "comment", "tried", "Looks good.")
    assert "Looks good." in served.good("groups", "comments", "tried").out
    assert (
        "1 comment: stepwell groups comments tried" in served.good("groups", "review", "tried").out
    )
    refused(served.type("groups", "try", "tried", "turm"), Exit.MISTAKE, "workflow-not-in-review")


def test_what_is_held_or_rejected_is_said_when_it_is_found_again(
    served: Shell, tmp_path: Path
) -> None:
    registered(served, tmp_path, "held")
    until = "2090-01-01T00:00:00+00:00"
    assert (
        f"held until {until}: turn" in served.good("groups", "hold", "held", "--until", until).out
    )
    assert "nothing waits for a decision" in served.good("groups", "review", "held").out
    served.good("groups", "reject", "held", "turn", "--reason", "no tests")
    told = served.good("groups", "discover", "held").out
    assert "This digest was rejected by tests" in told
    assert "no tests" in told


def test_of_many_names_the_first_are_told_and_how_many_more_there_are() -> None:
    """A group of hundreds is approved as a whole."""
    names = [f"flow{number}" for number in range(12)]
    assert listed(names) == f"{', '.join(names[:10])} and 2 more"
    assert listed(names[:2]) == "flow0, flow1"
    assert listed(names[:2], 5) == "flow0, flow1 and 3 more"


def test_a_proposal_is_not_confirmed_by_whoever_made_it(served: Shell, tmp_path: Path) -> None:
    """Nor by a token that the same person has made."""
    registered(served, tmp_path, "pairs")
    served.good("groups", "change", "pairs", "--two-person", "--reason", "audit")
    told = served.good("groups", "approve", "pairs", "--reason", "ready").out
    assert "proposed by tests; nothing is in force yet" in told
    refused(served.type("groups", "confirm", "pairs"), Exit.DENIED, "proposal-own")
    assert "has proposed to release it: ready" in served.good("groups", "review", "pairs").out
    ben = served.good("tokens", "create", "ben", "--role", "reviewer").out.strip()
    refused(served.type("groups", "confirm", "pairs", "--token", ben), Exit.DENIED, "proposal-own")
    assert served.good("groups", "releases", "pairs", "--json").json == []


def test_a_rollback_is_reviewed_by_the_same_page(served: Shell, tmp_path: Path) -> None:
    path = registered(served, tmp_path, "backs")
    served.good("groups", "approve", "backs")
    path.write_text(path.read_text().replace("= 1", "= 2"))
    served.good("groups", "discover", "backs")
    served.good("groups", "approve", "backs")
    review = served.good("groups", "review", "backs", "--back-to", "1").out
    assert "backs: back to release 1, compared with release 2" in review
    assert "The default of limit changes from 2 to 1." in review
    compared = served.good("groups", "compare", "backs", "1", "2").out
    assert "The default of limit changes from 1 to 2." in compared
    rolled = served.good(
        "groups", "rollback", "backs", "turn", "--to", "1", "--reason", "broke"
    ).out
    assert "release 3 of backs is in force: turn" in rolled
    assert "Rolled back to release 1: broke" in served.good("groups", "discover", "backs").out
