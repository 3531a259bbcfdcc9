"""What is measured of a server, each as name -> value of one round."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.latency import quantile
from benchmarks.server.boxed import boxed
from benchmarks.server.cold import cold
from benchmarks.server.served import ENDED, Served, cpu, memory, trigger, until
from benchmarks.server.systems import Measured, itself
from stepwell.cli.client import Client
from stepwell.schedules import Cron

MIB: Final = 2**20
Figures = dict[tuple[str, str], float]
"""(What, unit) -> value."""


def first_run(measured: Measured, size: int) -> Figures:
    """From an environment that holds pip alone to a run that has finished.

    Bytecode is made by the first import, as docs/guides/operate-the-server.md advises: to
    compile all of what is installed takes longer than all the rest, and a third of the space.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True)
        python, empty = home / "venv" / "bin" / "python", _mib(home / "venv")
        began = time.perf_counter()
        wanted = ["--quiet", "--no-compile", *measured.packages]
        subprocess.run([str(python), "-m", "pip", "install", *wanted], check=True)
        installed = time.perf_counter() - began
        data = home / "data"
        data.mkdir()
        with measured.start(data, python) as system:
            system.run_once()
            taken = time.perf_counter() - began
        whole = _mib(home)
    return {
        ("installed", "s"): installed,
        ("first run finished", "s"): taken,
        ("environment and data", "MiB"): whole,
        ("of that, added to an empty environment", "MiB"): whole - empty,
    }


def idle(measured: Measured, size: int) -> Figures:
    """The memory and the time of all processes, when nothing has happened for `size` seconds."""
    with measured.ready() as system:
        time.sleep(size)
        pids = system.pids()
        before = cpu(pids)
        time.sleep(size)
        used, kept = cpu(pids) - before, memory(pids)
    figures = {(f"{kind} of all processes", "MiB"): value for kind, value in kept.items()}
    return {**figures, ("processor while idle", "ms/s"): used * 1000 / size}


def run(measured: Measured, size: int) -> Figures:
    """From the request for a run of three trivial operations until its state says it ended."""
    taken = []
    with measured.ready() as system:
        pids = system.pids()
        before = cpu(pids)
        for _ in range(size):
            began = time.perf_counter()
            system.run_once()
            taken.append(time.perf_counter() - began)
        used = cpu(pids) - before
    return {
        ("trigger to finished, p50", "s"): median(taken),
        ("trigger to finished, p95", "s"): quantile(taken, 0.95),
        ("processor per run, with what looks", "s"): used / size,
    }


def due(size: int) -> Figures:
    """So many schedules that are all due at the next full minute but one."""
    with _served() as server:
        api = server.api
        at = (datetime.now(UTC) + timedelta(seconds=70)).replace(second=0, microsecond=0)
        spec = Cron(f"{at.minute} {at.hour} * * *").as_json()
        for number in range(size):
            body = {"group": "bench", "workflow": "three", "name": f"s{number}", "spec": spec}
            api.post("/schedules", body)
        time.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))
        runs = until(lambda: _all_ended(api, size, scheduled=True), every=0.5)
    started = [_since(at, one["started_at"]) for one in runs]
    return {
        ("due to started, p50", "s"): median(started),
        ("due to started, p95", "s"): quantile(started, 0.95),
        ("due to the last one finished", "s"): max(_since(at, r["finished_at"]) for r in runs),
        ("succeeded", "runs"): sum(one["state"] == "succeeded" for one in runs),
    }


def killed(size: int) -> Figures:
    """SIGKILL for the server with so many runs on their way, and a start right after it."""
    with _served() as server:
        wanted = {trigger(server.api) for _ in range(size)}
        server.kill()
        began = time.perf_counter()
        again = server.start()
        answers = time.perf_counter() - began
        runs = until(lambda: _all_ended(again, size + 1), every=0.1)
        taken = time.perf_counter() - began
    found = [one["id"] for one in runs]
    return {
        ("kill to serving again", "s"): answers,
        ("kill to all runs finished", "s"): taken,
        ("lost, doubled or failed", "runs"): len(wanted - set(found))
        + len(found)
        - len(set(found))
        + sum(one["state"] != "succeeded" for one in runs),
    }


BESIDE: Final[dict[str, Callable[[Measured, int], Figures]]] = {
    "first-run": first_run,
    "idle": idle,
    "run": run,
}
"""What is measured of peers too."""
FIGURES: Final[dict[str, tuple[Callable[[int], Figures], int, str]]] = {
    "first-run": (partial(first_run, itself()), 1, "runs"),
    "idle": (partial(idle, itself()), 30, "s"),
    "run": (partial(run, itself()), 20, "runs"),
    "due": (due, 50, "schedules"),
    "killed": (killed, 10, "runs"),
    "cold": (cold, 5, "starts"),
    "cold-container": (boxed, 9, "starts"),
}
"""Name -> what measures it, its usual size, and what that counts."""


@contextmanager
def _served() -> Iterator[Served]:
    with itself().ready() as server:
        assert isinstance(server, Served)
        yield server


def _all_ended(api: Client, size: int, *, scheduled: bool = False) -> list[dict[str, Any]] | None:
    runs = [one for one in api.items("/runs", 1000) if one["schedule_id"] or not scheduled]
    return runs if len(runs) >= size and all(one["state"] in ENDED for one in runs) else None


def _since(at: datetime, instant: str) -> float:
    return (datetime.fromisoformat(instant) - at).total_seconds()


def _mib(folder: Path) -> float:
    """As the disk has it: in blocks."""
    files = (one.lstat() for one in folder.rglob("*"))
    return sum(one.st_blocks * 512 for one in files) / MIB
