"""What tests of reasons share: the question, asked of the API and typed as a command."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.testclient import TestClient
from typer.testing import CliRunner

from stepwell.cli.app import app

Why: TypeAlias = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Asker:
    """Asks why something waits, both ways; they must say the same."""

    client: TestClient

    def run(self, run: dict[str, Any], step: str | None = None) -> dict[str, Any]:
        """Why a run waits, or a step of it."""
        query = {} if step is None else {"step": step}
        return self._same(f"runs/{run['id']}/why", query, run["id"], *query.values())

    def schedule(self, schedule_id: Any) -> dict[str, Any]:
        """Why a schedule starts no run."""
        return self._same(f"schedules/{schedule_id}/why", {}, str(schedule_id), "--schedule")

    def _same(self, path: str, query: dict[str, str], *words: str) -> dict[str, Any]:
        """The answer, of a moment in which it was the same before and after the command's."""
        found = self._asked(path, query)
        while True:
            typed = CliRunner().invoke(app, ["why", *words])
            assert typed.exit_code == 0, typed.output
            before, found = found, self._asked(path, query)
            if timeless(before["sentence"]) == timeless(found["sentence"]):
                break
        said, *lines = typed.stdout.splitlines()
        assert timeless(said) == timeless(found["sentence"])
        if found["reason"]:
            assert f"  code: {found['reason']['code']}" in lines
        return found

    def _asked(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def timeless(sentence: str) -> str:
    """The sentence without its numbers: time passes between two questions."""
    return re.sub(r"\d+", "#", sentence)
