"""A system under test as a process of its own, which waits at the line until told to go.

It prints `ready` when everything is imported and prepared, reads a line, works, and prints what
it found as one line of JSON. So the time of starting Python is in no figure, and several
processes begin at the same moment. Only the standard library is used here: peers are started
from environments that have nothing else of ours.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]


def serve(work: Callable[..., Any], prepare: Callable[..., Any] | None = None) -> None:
    """In the subject: do the work when told to.

    Parameters
    ----------
    work : called with the command line's arguments, or with what `prepare` has made of them.
        It may read a line to wait for its end: see `wait_for_end`.
    """
    made = [prepare(*sys.argv[1:])] if prepare else sys.argv[1:]
    gc.collect()
    gc.freeze()  # or each collection would go through what the harness has imported
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.time()
    found = work(*made)
    print(json.dumps({"began": began, "ended": time.time(), "found": found}), flush=True)


def wait_for_end() -> None:
    """In a subject that has no end of its own: until somebody asks for its result."""
    sys.stdin.readline()


class Subject:
    """A started subject.

    Parameters
    ----------
    module : run as `python -m module`.
    arguments : its command line.
    python : the interpreter; peers have one of their own.
    """

    def __init__(
        self, module: str, arguments: Sequence[object], python: str | Path = sys.executable
    ) -> None:
        self._name = module
        self._process = subprocess.Popen(
            [python, "-W", "ignore", "-m", module, *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> Subject:
        """Wait until it is at the line."""
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise self._broken("did not start")
        return self

    def go(self) -> None:
        """Let it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def result(self) -> dict[str, Any]:
        """Wait for its end: `began` and `ended` in Unix seconds, and what it `found`.

        Raises
        ------
        RuntimeError : it failed; with what it wrote.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        line = self._process.stdout.readline()
        if not line.startswith("{"):
            raise self._broken("failed")
        self._process.wait(timeout=60)
        found: dict[str, Any] = json.loads(line)
        return found

    def kill(self) -> None:
        """End it, if it still runs."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _broken(self, what: str) -> RuntimeError:
        self._process.kill()
        assert self._process.stderr is not None
        return RuntimeError(f"{self._name} {what}:\n{self._process.stderr.read()[-4000:]}")


@contextmanager
def started(subjects: Sequence[Subject]) -> Iterator[Sequence[Subject]]:
    """The subjects, all ready; none of them outlives the block."""
    try:
        for one in subjects:
            one.ready()
        yield subjects
    finally:
        for one in subjects:
            one.kill()


def race(subjects: Sequence[Subject]) -> tuple[float, list[dict[str, Any]]]:
    """Let all go at once; when (Unix seconds), and the result of each."""
    with started(subjects):
        began = time.time()
        for one in subjects:
            one.go()
        return began, [one.result() for one in subjects]
