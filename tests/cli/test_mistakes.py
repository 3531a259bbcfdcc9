"""Each mistake gives what, why and how to fix it, a code and an exit code, and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.shell import Answer, Shell

from stepwell.cli.exits import Exit

HEAD = """from __future__ import annotations
from stepwell.schedules import Cron
from stepwell.workflows import WorkflowGroup, operation
{before}
group = WorkflowGroup("{name}")


@group.workflow{options}
class One:
"""
GOOD = "    @operation\n    def load(self) -> int:\n        return 1\n"

BROKEN = {
    "does-not-import": ("import nowhere", "", GOOD, "group-import-failed"),
    "two-of-one-name": ("", "", GOOD + GOOD, "group-invalid"),
    "unknown-type": (
        "",
        "",
        "    @operation\n    def load(self) -> Nothing:\n        return 1\n",
        "group-invalid",
    ),
    "cron-mistake": ("", '(schedule=Cron("61 * * * *"))', GOOD, "cron-invalid"),
}


def refused(answer: Answer, code: Exit, name: str) -> None:
    """It says what and how to fix it, with both codes, and shows no traceback."""
    assert answer.code == code, answer
    assert answer.err.startswith("error: ") or "\nerror: " in answer.err
    assert "\n  fix: " in answer.err
    assert f" code: {name}" in answer.err
    assert "Traceback" not in answer.out + answer.err


@pytest.mark.parametrize("name", BROKEN)
def test_a_group_with_a_mistake_is_registered_but_offers_nothing_to_approve(
    served: Shell, tmp_path: Path, name: str
) -> None:
    before, options, body, code = BROKEN[name]
    path = tmp_path / "broken.py"
    path.write_text(HEAD.format(name=name, before=before, options=options) + body)
    refused(served.type("groups", "register", path), Exit.FAILED, code)
    refused(served.type("groups", "approve", name), Exit.CONFLICT, "nothing-to-review")
    assert served.good("schedules", "list", "--group", name, "--json").json == []


def test_a_path_that_does_not_exist_registers_nothing(served: Shell) -> None:
    def names() -> list[str]:
        return [one["name"] for one in served.good("groups", "list", "--json").json]

    before = names()
    served.type("groups", "register", "no/such/file.py")
    assert names() == before


def test_a_group_mended_after_a_mistake_is_discovered(served: Shell, tmp_path: Path) -> None:
    path = tmp_path / "mended.py"
    source = HEAD.format(name="mended", before="", options="") + GOOD
    path.write_text(source + "import nowhere\n")
    assert served.type("groups", "register", path).code == Exit.FAILED
    path.write_text(source)
    assert "discovered mended" in served.good("groups", "discover", "mended").out


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (("groups", "show", "wether"), Exit.NOT_FOUND, "group-not-found"),
        (("groups", "approve", "wether"), Exit.NOT_FOUND, "group-not-found"),
        (("groups", "approve", "weather", "nothing"), Exit.MISTAKE, "workflow-not-in-review"),
        (("groups", "register", "no/such/file.py"), Exit.MISTAKE, "image-unusable"),
        (("runs", "start", "weather", "nothing"), Exit.NOT_FOUND, "workflow-not-in-release"),
        (("runs", "start", "weather", "year-in-review"), Exit.MISTAKE, "parameters-invalid"),
        (
            ("runs", "start", "weather", "year-in-review", "-p", "year=soon"),
            Exit.MISTAKE,
            "parameters-invalid",
        ),
        (
            ("runs", "start", "weather", "year-in-review", "-p", "year"),
            Exit.MISTAKE,
            "parameter-unreadable",
        ),
        (("runs", "show", "nonsense"), Exit.MISTAKE, "invalid-input"),
        (
            ("runs", "show", "01900000-0000-7000-8000-000000000000"),
            Exit.NOT_FOUND,
            "run-not-found",
        ),
        (("schedules", "pause", "weather/nothing"), Exit.NOT_FOUND, "schedule-unknown"),
        (("schedules", "preview", "--cron", "61 * * * *"), Exit.MISTAKE, "cron-invalid"),
        (("schedules", "preview"), Exit.MISTAKE, "invalid-input"),
        (("tokens", "revoke", "nobody"), Exit.NOT_FOUND, "token-unknown"),
        (("runs", "list", "--token", "sw_wrong"), Exit.DENIED, "unauthenticated"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_says_what_why_and_how_to_fix_it(
    served: Shell, words: tuple[str, ...], code: Exit, name: str
) -> None:
    refused(served.type(*words), code, name)


def test_a_mistyped_name_gets_its_neighbours(served: Shell) -> None:
    assert "Did you mean 'weather'?" in served.type("groups", "show", "wether").err
    mistyped = served.type("runs", "start", "weather", "year-in-revue").err
    assert "Did you mean 'year-in-review'?" in mistyped


def test_a_rename_the_wrong_way_round_is_turned(served: Shell) -> None:
    said = served.type("groups", "approve", "weather", "--renamed", "rain=load-weather")
    refused(said, Exit.MISTAKE, "workflow-not-in-review")
    assert "Write the new name first: --renamed load-weather=rain." in said.err


def test_a_role_that_may_not_do_this_is_told_which_may(served: Shell) -> None:
    token = served.good("tokens", "create", "reader", "--role", "viewer").out.strip()
    refused(
        served.type("groups", "approve", "weather", "--token", token), Exit.DENIED, "role-missing"
    )
    served.good("tokens", "revoke", "reader")
    refused(served.type("groups", "list", "--token", token), Exit.DENIED, "unauthenticated")


def test_a_refused_run_was_not_half_started(served: Shell) -> None:
    def runs() -> list[str]:
        listed = served.good("runs", "list", "--workflow", "year-in-review", "--json").json
        return [one["id"] for one in listed]

    before = runs()
    served.type("runs", "start", "weather", "year-in-review", "-p", "year=soon")
    assert runs() == before


def test_a_run_that_fails_gives_exit_code_1_when_waited_for(served: Shell) -> None:
    answer = served.type("runs", "start", "weather", "year-in-review", "-p", "year=1999", "--wait")
    refused(answer, Exit.FAILED, "work-failed")
    assert "there is no weather of 1999" in answer.out


def test_errors_are_json_where_json_is_asked_for(served: Shell) -> None:
    answer = served.type("groups", "show", "wether", "--json")
    assert json.loads(answer.err)["code"] == "group-not-found"
    assert set(json.loads(answer.err)) >= {"code", "what", "why", "fix"}


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (("groups", "list"), Exit.SETUP, "no-server"),
        (("groups", "list", "--url", "http://127.0.0.1:1"), Exit.UNREACHABLE, "server-unreachable"),
        (("groups", "list", "--url", "nonsense"), Exit.MISTAKE, "invalid-input"),
        (("serve", "--port", "0"), Exit.SETUP, "schema-missing"),
        (("work",), Exit.SETUP, "schema-missing"),
        (("tokens", "create", "x", "--direct"), Exit.SETUP, "schema-missing"),
        (("migrate", "--database", "mongo://x"), Exit.SETUP, "setup"),
        (("dev",), Exit.MISTAKE, "no-groups"),
        (("run", "missing.py", "one"), Exit.NOT_FOUND, "group-file-missing"),
        (("steps", "list", "--store", "sqlite:///no.db"), Exit.SETUP, "schema-missing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_without_a_server_too(shell: Shell, words: tuple[str, ...], code: Exit, name: str) -> None:
    refused(shell.type(*words), code, name)


@pytest.mark.parametrize("command", [("migrate",), ("serve", "--port", "0")], ids=" ".join)
def test_a_data_folder_that_cannot_be_is_no_traceback(
    shell: Shell, command: tuple[str, ...]
) -> None:
    (shell.folder / "taken").write_text("a file")
    refused(shell.type(*command, "--data-dir", "taken"), Exit.SETUP, "setup")


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_group_is_a_mistake_without_a_server_too(
    shell: Shell, tmp_path: Path, name: str
) -> None:
    before, options, body, code = BROKEN[name]
    path = tmp_path / "broken.py"
    path.write_text(HEAD.format(name=name, before=before, options=options) + body)
    answer = shell.type("run", path, "one")
    refused(answer, Exit.MISTAKE, code)
    assert "why: \n" not in answer.err


def test_a_refused_serve_has_made_no_database(shell: Shell) -> None:
    shell.type("serve", "--port", "0")
    assert not list(shell.folder.rglob("*.db"))


def test_a_mistyped_command_gets_its_neighbours(shell: Shell) -> None:
    answer = shell.type("gruops", "list")
    assert answer.code == Exit.MISTAKE
    assert "groups" in answer.err
