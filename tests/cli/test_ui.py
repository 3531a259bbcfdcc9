"""`stepwell ui`: pages over a store of one's own, and the way in to a server's."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from tests.cli.shell import PATIENCE, Shell, free_port, wait

from stepwell.engine import StepClient
from stepwell.step import new_step
from stepwell.stores import open_store


@pytest.fixture
def store(shell: Shell) -> str:
    """The address of a store with one step."""
    url = f"sqlite:///{shell.folder / 'steps.db'}"
    shell.good("migrate", "--store", url)
    made = open_store(url)
    StepClient(made).add(new_step("v1/mail"))
    made.close()
    return url


def link_in(log: Path) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+/login\?code=\S+", log.read_text())
    return found[0] if found else ""


def test_the_steps_of_a_store_are_shown_to_who_has_the_link(shell: Shell, store: str) -> None:
    with shell.background("ui", "--store", store, "--port", free_port()) as log:
        link = wait(lambda: link_in(log), log)
        assert "read only" in log.read_text()
        with httpx.Client(follow_redirects=False, timeout=PATIENCE) as browser:
            assert browser.get(link).status_code == 303
            base = link.partition("/login")[0]
            (step,) = browser.get(f"{base}/api/v1/steps").json()["items"]
            assert step["name"] == "v1/mail"
            assert (
                "text/"
                in browser.get(base, headers={"Accept": "text/html"}).headers["content-type"]
            )


def test_a_store_that_was_not_migrated_is_refused_in_words(shell: Shell) -> None:
    answer = shell.type("ui", "--store", f"sqlite:///{shell.folder / 'new.db'}")
    assert answer.code != 0
    assert "stepwell migrate --store" in answer.err


def test_neither_a_store_nor_a_server_is_said_in_words(shell: Shell) -> None:
    answer = shell.type("ui")
    assert answer.code != 0
    assert "Neither a store nor a server is named." in answer.err


def test_of_stepwell_dev_a_new_link_is_printed(shell: Shell) -> None:
    (shell.folder / "groups").mkdir()
    text = (
        "from stepwell.workflows import WorkflowGroup, operation\ngroup = WorkflowGroup('shop')\n"
    )
    text += "@group.workflow\nclass A:\n    @operation\n    def a(self) -> int:\n        return 1\n"
    (shell.folder / "groups/shop.py").write_text(text)
    with shell.dev("groups"):
        first = wait(lambda: link_in(shell.log("dev")), shell.log("dev"))
        second = shell.good("ui").out.strip()
        with httpx.Client(follow_redirects=False, timeout=PATIENCE) as browser:
            assert browser.get(first).status_code == 401
            assert browser.get(second).status_code == 303
            me = browser.get(second.partition("/login")[0] + "/api/v1/me").json()
            assert (me["name"], me["environment"]) == ("developer", "dev")
