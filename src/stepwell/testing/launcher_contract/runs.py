"""The contract of runs: what a server holds with a launcher, whatever is killed (R15, R33-R35)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from stepwell.client import Run
from stepwell.testing.launcher_contract.base import Skipping, until
from stepwell.testing.launcher_contract.place import PATIENCE, SAMPLE, Place


class RunsContract(Skipping):
    """The hooks are what a launcher's own test provides; one server serves all of its tests."""

    launcher: ClassVar[str]
    """Its name among the server's launchers."""
    variables: ClassVar[Mapping[str, str]] = {"GREETING": "hello"}
    """What the group is registered with as its environment."""

    server: ClassVar[Place]
    """Where the server is, for the hooks."""

    def settings(self, folder: Path) -> Mapping[str, str]:
        """The server's, as environment variables, beside the usual ones."""
        return {}

    def group(self, folder: Path) -> str:
        """The name of an image that runs the workflow group `SAMPLE`."""
        raise NotImplementedError

    def kill(self, launch: str) -> None:
        """End the image's process, as the kernel does when memory runs out."""
        raise NotImplementedError

    def living(self) -> set[str]:
        """The launches that have a process now; not asked of the launcher."""
        raise NotImplementedError

    def shown(self, launch: str) -> str:
        """What other users of the machine or cluster can read of a launch, beside its files."""
        return command_lines()

    def of(self, run: Run) -> set[int]:
        """The attempts of a run that have a process now."""
        names = (name.rpartition("-") for name in self.living())
        return {int(number) for run_id, _, number in names if run_id == str(run.id)}

    @pytest.fixture(scope="class")
    def place(
        self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[Place]:
        """The server with the sample group, registered and approved."""
        own, folder = request.cls(), tmp_path_factory.mktemp("place")
        made = request.cls.server = Place(folder, self.launcher, own.settings(folder))
        try:
            made.start()
            made.register(own.group(folder), self.variables)
            yield made
        finally:
            made.close()
            for launch in own.living():
                own.kill(launch)

    @pytest.fixture
    def staying(self, place: Place) -> Run:
        """A run whose second operation waits to be let go."""
        run = place.run()
        self.begins(place, run, 1)
        return run

    def begins(self, place: Place, run: Run, attempt: int) -> None:
        """Wait until that attempt is at the second operation. An image may be that far before
        whoever started it has noted which process it is."""
        until(lambda: place.begun(run, "stay") == attempt, PATIENCE)
        until(lambda: self.of(run) == {attempt}, PATIENCE)

    # -- R33: one supervising step per run, that outlives the server ------------------

    def test_a_run_succeeds_and_leaves_nothing_running(self, place: Place, staying: Run) -> None:
        """Its output is kept, and its container has ended with it."""
        place.go(staying)
        run = place.ended(staying)
        assert (run.state, run.attempt) == ("succeeded", 1)
        until(lambda: "the walk begins" in place.api.output(run.id))
        assert self.of(staying) == set()

    def test_a_killed_image_is_followed_by_one_that_resumes_at_the_lost_operation(
        self, place: Place, staying: Run
    ) -> None:
        """And the run says why the first one ended."""
        self.kill(f"{staying.id}-1")
        self.begins(place, staying, 2)
        place.go(staying)
        run = place.ended(staying)
        assert (run.state, run.attempt) == ("succeeded", 2)
        assert [place.begun(run, word) for word in ("begin", "stay", "end-6")] == [1, 2, 1]
        first, second = place.api.get(f"/runs/{run.id}")["attempts"]
        assert "SIGKILL" in first["exit"]["reason"]
        assert second["exit"]["code"] == 0

    def test_a_server_killed_while_an_image_runs_finds_it_again(
        self, place: Place, staying: Run
    ) -> None:
        """The image waits for the server, and nothing is run twice."""
        place.kill()
        assert self.of(staying) == {1}
        place.start()
        place.go(staying)
        run = place.ended(staying)
        assert (run.state, run.attempt) == ("succeeded", 1)
        assert [place.begun(run, word) for word in ("begin", "stay", "end-6")] == [1, 1, 1]
        assert self.of(staying) == set()

    def test_an_image_that_is_lost_while_the_server_is_away_is_missed_when_it_is_back(
        self, place: Place, staying: Run
    ) -> None:
        """No notice reaches anybody; whoever looks first sees it."""
        place.kill()
        self.kill(f"{staying.id}-1")
        place.start()
        until(lambda: place.begun(staying, "stay") == 2, PATIENCE)
        place.go(staying)
        assert place.ended(staying).attempt == 2

    def test_a_server_killed_at_the_launch_launches_that_attempt_once(self, place: Place) -> None:
        """Killed as soon as the attempt's row is there, it goes on with it after its restart."""
        run = place.run()
        until(lambda: place.api.get(f"/runs/{run.id}")["attempts"], PATIENCE)
        place.kill()
        place.start()
        until(lambda: place.begun(run, "stay"), PATIENCE)
        place.go(run)
        run = place.ended(run)
        attempts = place.api.get(f"/runs/{run.id}")["attempts"]
        assert (run.state, run.attempt) == ("succeeded", 1), json.dumps(attempts, indent=1)
        assert [place.begun(run, word) for word in ("begin", "stay", "end-6")] == [1, 1, 1]

    def test_what_waits_for_long_holds_no_image(self, place: Place) -> None:
        """It ends well, and the run goes on in another one when it may."""
        run = place.run("ask")
        until(lambda: place.begun(run, "ask"), PATIENCE)
        until(lambda: place.seen(run).state == "waiting", PATIENCE)
        until(lambda: self.of(run) == set())
        place.api.post(f"/runs/{run.id}/approvals", {"decision": "approve"})
        run = place.ended(run)
        assert (run.state, run.attempt) == ("succeeded", 2)

    # -- R15: poison -------------------------------------------------------------------

    def test_an_operation_that_costs_three_images_is_given_up(
        self, place: Place, staying: Run
    ) -> None:
        """With the launcher's words, and nothing of it left."""
        for number in (1, 2, 3):
            self.begins(place, staying, number)
            self.kill(f"{staying.id}-{number}")
        run = place.ended(staying)
        assert (run.state, run.attempt) == ("failed", 3)
        assert "lost 3 times at stay" in (run.reason or "")
        assert "SIGKILL" in (run.reason or "")
        assert self.of(staying) == set()

    # -- R34: cancel -------------------------------------------------------------------

    def test_a_cancelled_run_leaves_no_process_behind(self, place: Place, staying: Run) -> None:
        """It is gone before the run is *cancelled*, and its token with it."""
        token = place.token(staying)
        place.api.cancel(staying.id)
        assert place.as_container(staying, token) == "run-token-revoked"
        assert place.ended(staying).state == "cancelled"
        assert self.of(staying) == set()

    def test_a_run_that_is_cancelled_after_its_server_was_killed_is_stopped_too(
        self, place: Place, staying: Run
    ) -> None:
        """The new server knows of the launch by its name alone."""
        place.kill()
        place.start()
        place.api.cancel(staying.id)
        assert place.ended(staying).state == "cancelled"
        assert self.of(staying) == set()

    def test_a_run_past_its_deadline_is_stopped_and_says_so(self, place: Place) -> None:
        """Whatever its image does."""
        run = place.run(deadline=6.0)
        run = place.ended(run)
        assert run.state == "failed"
        assert "deadline" in (run.reason or "")
        assert self.of(run) == set()

    # -- R35: tokens -------------------------------------------------------------------

    def test_a_token_is_worth_nothing_for_another_run_or_attempt(
        self, place: Place, staying: Run
    ) -> None:
        """It holds for its own run, falls with the next attempt, and at last with the run."""
        other, first = place.run(), place.token(staying)
        assert place.as_container(staying, first) == "ok"
        assert place.as_container(other, first) == "unauthenticated"
        self.kill(f"{staying.id}-1")
        until(lambda: place.begun(staying, "stay") == 2, PATIENCE)
        second = place.token(staying, 2)
        assert place.as_container(staying, first) == "run-token-revoked"
        assert place.as_container(staying, second) == "ok"
        for run in (other, staying):
            place.go(run)
            place.ended(run)
        assert place.as_container(staying, second) == "run-token-revoked"

    def test_nobody_else_can_read_a_token(self, place: Place, staying: Run) -> None:
        """No command line, no file of the server, nothing that is said of the launch, no output;
        and the group's own code does not get it."""
        token, launch = place.token(staying), f"{staying.id}-1"
        assert token not in self.shown(launch)
        place.go(staying)
        place.ended(staying)
        files = [path for path in place.folder.rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if token.encode() in contents(path)]
        seen = self._result(place, staying, "end")
        assert "GREETING" in seen
        assert "STEPWELL_TOKEN" not in seen

    def _result(self, place: Place, run: Run, operation: str) -> Any:
        steps = {step.operation: step for step in place.api.steps(run.id)}
        return steps[operation].result


def command_lines() -> str:
    """Of all processes of this machine."""
    found = (contents(path) for path in Path("/proc").glob("[0-9]*/cmdline"))
    return b"\n".join(found).decode(errors="replace")


def contents(path: Path) -> bytes:
    """Of a file, or nothing where it is gone by now, as a process or a draft may be."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def write_sample(folder: Path) -> Path:
    """The sample group as a file, `contract.py`."""
    path = folder / "contract.py"
    path.write_text(SAMPLE)
    return path
