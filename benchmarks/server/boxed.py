"""The start of an image in a real container: from the command to the first claim, as it is heard.

The image is made by the usual recipe, and runs as launchers run it, in a Podman of the tests' own
(`.ci/containers` prepares it). Each start has a container of its own, in which an interpreter that
does nothing is started just before, so that both meet the same machine. The server is played.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.launchers.container import wheels
from tests.launchers.container.podman import BASE, Podman, missing

from benchmarks.server import cold
from benchmarks.server.served import GROUP
from stepwell.cli.groups.image import Builder
from stepwell.launchers.recipe import write
from stepwell.version import VERSION

TAG: Final = "localhost/stepwell-bench-cold"
INSIDE: Final = """
import json, resource, subprocess, sys, time

def taken(*command):
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ended, after = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"began": began, "wall": ended - began, "cpu": cpu}

taken("-c", "pass")
print(json.dumps({"bare": taken("-c", "pass"), "start": taken("-m", "stepwell.workflows")}))
"""
"""Says what a bare interpreter and a start take. The very first interpreter is not counted."""


class Heard(cold.Played):
    """Notes when a claim arrives."""

    at: float = 0.0

    def claimed(self) -> None:
        """Counted as before."""
        type(self).at = time.time()
        super().claimed()


def boxed(size: int) -> dict[tuple[str, str], float]:
    """So many starts, on top of an interpreter that does nothing."""
    if why := missing():
        return {(f"no containers here ({why})", "starts"): 0.0}
    with _podman() as podman, cold.played(Heard) as url:
        _build(podman)
        try:
            starts = [_start(podman, url) for _ in range(size)]
        finally:
            podman.run("rmi", "--force", TAG)
    found = {
        f"{what} until the first claim in a container, on top of the interpreter": [
            one[what] for one in starts
        ]
        for what in ("time", "processor")
    }
    return {
        (f"{what}{which}", "ms"): 1000 * pick(values)
        for what, values in found.items()
        for which, pick in (("", median), (", at best", min), (", at worst", max))
    }


def _start(podman: Podman, url: str) -> dict[str, float]:
    given = {**cold.environment(url), "PYTHONDONTWRITEBYTECODE": "1"}
    named = [word for name, value in given.items() for word in ("--env", f"{name}={value}")]
    entry = ("--entrypoint", "/opt/group/bin/python")
    confined = ("--rm", "--read-only", "--network", "host", "--cap-drop", "all")
    said = podman.run("run", *confined, *named, *entry, TAG, "-c", INSIDE)
    found: dict[str, Any] = json.loads(said)
    return {
        "time": Heard.at - found["start"]["began"] - found["bare"]["wall"],
        "processor": found["start"]["cpu"] - found["bare"]["cpu"],
    }


@contextmanager
def _podman() -> Iterator[Podman]:
    folder = Path(tempfile.mkdtemp(prefix="sw-podman-"))
    before = dict(os.environ)
    try:
        made = Podman(folder)
        made.prepare()
        os.environ.update(made.environment)  # for `stepwell image build`
        yield made
    finally:
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)


def _build(podman: Podman) -> None:
    source = podman.folder / "image" / "bench.py"
    source.parent.mkdir()
    source.write_text(GROUP)
    write(source, base=BASE, version=VERSION)
    wheels.put(source.parent / "wheels")
    Builder("podman").build(TAG, source.parent)
