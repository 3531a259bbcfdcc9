"""`stepwell groups check`: what keeps the protocol passes, and each breach is found and named."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.shell import EXAMPLES, Shell

from stepwell.cli.conformance import discovering, running
from stepwell.cli.conformance.requirements import REQUIREMENTS, Finding
from stepwell.cli.conformance.running import Subject
from stepwell.cli.conformance.stage import Stage, staged
from stepwell.cli.conformance.tap import Outage
from stepwell.cli.exits import Exit

NODE = EXAMPLES / "node"
PROTOCOL = Path(__file__).parents[3] / "docs" / "reference" / "protocol.md"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node here")

PYTHON = """from stepwell.workflows import WorkflowGroup, operation

group = WorkflowGroup("two")


@group.workflow
class Both:
    @operation
    def one(self) -> int:
        return 1

    @operation
    def two(self, one: int) -> int:
        return one + 1
"""


def verdicts(answer: Any) -> dict[str, str]:
    return {one["requirement"]: one["verdict"] for one in answer.json["findings"]}


def not_passed(answer: Any) -> dict[str, str]:
    return {name: one for name, one in verdicts(answer).items() if one != "passed"}


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a good image beats and ends later than the check allows."""
    monkeypatch.setattr(running, "LONGEST_GAP", Outage.HOLD - 0.1)
    monkeypatch.setattr(running, "GRACE", 90.0)


@needs_node
@pytest.mark.slow
def test_the_group_in_javascript_keeps_the_whole_protocol(shell: Shell, patient: None) -> None:
    answer = shell.good("groups", "check", NODE, "--json", "--timeout", 180)
    assert list(verdicts(answer)) == list(REQUIREMENTS)
    assert not_passed(answer) == {}


@pytest.mark.slow
def test_a_group_in_python_keeps_the_whole_protocol(shell: Shell, patient: None) -> None:
    (shell.folder / "two.py").write_text(PYTHON)
    assert not_passed(shell.good("groups", "check", "two.py", "--json", "--timeout", 180)) == {}


def test_an_image_that_posts_nothing_fails_with_what_it_wrote(shell: Shell) -> None:
    image = shell.folder / "group.sh"
    image.write_text("#!/bin/sh\necho nothing to say\n")
    image.chmod(0o755)
    answer = shell.type("groups", "check", image)
    assert answer.code == Exit.FAILED
    lines = answer.out.splitlines()
    failed = next(n for n, line in enumerate(lines) if line.startswith("failed"))
    assert "posts-manifest" in lines[failed]
    told = "\n".join(lines[failed:])
    assert "nothing to say" in told
    assert "$STEPWELL_DISCOVERY_ID/manifest" in told
    assert "1 failed" in lines[-1]


def test_what_is_no_image_is_a_mistake_and_starts_no_server(shell: Shell) -> None:
    (shell.folder / "notes.txt").write_text("hello")
    answer = shell.type("groups", "check", "notes.txt")
    assert (answer.code, "chmod +x" in answer.err) == (Exit.MISTAKE, True)


def test_parameters_that_are_missing_are_named(shell: Shell) -> None:
    group = PYTHON.replace("class Both:\n", "class Both:\n    day: str\n\n")
    (shell.folder / "two.py").write_text(group)
    answer = shell.type("groups", "check", "two.py")
    assert (answer.code, "--param day=" in answer.err) == (Exit.MISTAKE, True)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged("process", 180.0) as made:
        yield made


Breaking = Callable[..., Subject]


@pytest.fixture
def broken(stage: Stage, tmp_path: Path) -> Breaking:
    """`broken(name, (old, new), ...)` is the group in JavaScript with these changes, released."""

    def make(name: str, *changes: tuple[str, str]) -> Subject:
        folder = tmp_path / name
        shutil.copytree(NODE, folder)
        group = folder / "group.mjs"
        group.write_text(group.read_text().replace("node-words", name))
        for old, new in changes:
            (file,) = [one for one in (group, folder / "stepwell.mjs") if old in one.read_text()]
            file.write_text(file.read_text().replace(old, new))
        first = stage.register(str(folder), {})
        assert first.good, first.record
        stage.approve(name)
        workflow = first.record["manifest"]["workflows"][0]
        return Subject(group=name, workflow=workflow, parameters={})

    return make


def failures(found: Iterator[Finding]) -> dict[str, str]:
    return {one.requirement: one.why for one in found if one.verdict == "failed"}


@needs_node
def test_a_manifest_that_changes_from_one_discovery_to_the_next_is_found(
    stage: Stage, broken: Breaking
) -> None:
    random = ('"Split the text into words."', '"Split the text. " + Math.random()')
    broken("node-random", random)
    first, second = stage.discover("node-random"), stage.discover("node-random")
    found = discovering.same_again(first, second)
    assert found.verdict == "failed"
    assert "/workflows/0/operations/0/description" in found.why


@needs_node
def test_one_that_does_not_leave_is_found(stage: Stage, broken: Breaking) -> None:
    subject = broken("node-stays", ("await engine.leave();", ""))
    assert set(failures(running.undisturbed(stage, subject))) == {"leaves"}


@needs_node
def test_a_result_that_its_schema_does_not_allow_is_found(stage: Stage, broken: Breaking) -> None:
    subject = broken("node-misfit", ("return texts;", 'return "many";'))
    found = failures(running.undisturbed(stage, subject))
    assert set(found) == {"results-fit"}
    assert "remember" in found["results-fit"]


@needs_node
def test_one_that_does_not_beat_and_settles_anew_is_found(stage: Stage, broken: Breaking) -> None:
    quiet = ("this.beating = setInterval(", "this.beating = ((later, pause) => 0)(")
    anew = ("options.body = JSON.stringify(body)", "options.body = JSON.stringify(fresh(body))")
    code = "\nconst fresh = (b) => b.settlements ? { ...b, settlements: b.settlements.map((s) => "
    code += '({ ...s, executed_by: "node" + Math.random() })) } : b;\n'
    subject = broken("node-quiet", quiet, anew, ("// -- discover ---", code + "// -- discover ---"))
    assert set(failures(running.disturbed(stage, subject))) == {"beats", "repeats-lost-answer"}


@needs_node
def test_one_that_gives_up_when_the_server_is_away_is_found(stage: Stage, broken: Breaking) -> None:
    hasty = ("if (error instanceof Refused || error instanceof Wrong) throw error;", "throw error;")
    subject = broken("node-hasty", hasty)
    assert "outlives-outage" in failures(running.disturbed(stage, subject))


@needs_node
def test_one_that_ignores_sigterm_is_found(stage: Stage, broken: Breaking) -> None:
    deaf = ('process.once("SIGTERM", () => engine.terminate())', 'process.on("SIGTERM", () => 0)')
    subject = broken("node-deaf", deaf)
    assert set(failures(running.halted(stage, subject))) == {"stops-on-sigterm"}


@needs_node
def test_one_that_goes_on_with_a_refused_token_is_found(stage: Stage, broken: Breaking) -> None:
    stubborn = ("answer.status === 401 || answer.status === 403", "false")
    subject = broken("node-stubborn", stubborn)
    assert set(failures(running.refused(stage, subject))) == {"obeys-refusal"}


def test_every_requirement_is_explained_on_the_page_of_the_protocol() -> None:
    page = PROTOCOL.read_text()
    named = set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE))
    assert named == set(REQUIREMENTS)
