"""A Stepwell that people can visit: a real server with real groups, and accounts of every role."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.shell import EXAMPLES, PATIENCE, Shell, free_port, wait

from stepwell.cli.client import Client
from stepwell.cli.profile import Profile
from stepwell.errors import StepwellError
from stepwell.launchers.process import ProcessLauncher

ROLES = ("admin", "reviewer", "operator", "viewer")
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Site:
    """A server that runs.

    Parameters
    ----------
    url : its address, without a slash at the end; `/stepwell` and such are part of it.
    shell : types commands at it, as an admin.
    api : the same for Python.
    """

    url: str
    shell: Shell
    api: Client

    def link(self, path: str) -> str:
        """The address of a screen."""
        return f"{self.url}{path}"


@contextmanager
def serving(
    folder: Path, groups: Sequence[str] = (), *, launcher: str = "process", **settings: str
) -> Iterator[Site]:
    """`stepwell serve` in a folder of its own, with these of the example groups approved.

    An account `admin`, `reviewer` ... of each role has the password `PASSWORD`. Settings
    are variables of the environment: `STEPWELL_BASE_PATH="/x"`.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}{settings.get('STEPWELL_BASE_PATH', '')}"
    data = {"STEPWELL_DATA_DIR": str(folder / "data"), "STEPWELL_URL": url, **settings}
    shell = Shell(folder, **data)
    shell.good("migrate")
    token = shell.good("tokens", "create", "journeys", "--role", "admin", "--direct").out.strip()
    shell.environment["STEPWELL_TOKEN"] = token
    process = shell.begin("serve", "--launcher", launcher, "--port", port)
    try:
        with Client(Profile(url, token)) as api:
            wait(lambda: process.poll() is not None or _answers(api), shell.log("serve"))
            assert process.poll() is None, shell.log("serve").read_text()
            _accounts(api)
            approved(shell, groups)
            yield Site(url, shell, api)
    finally:
        _end(process, folder / "data")


def _accounts(api: Client) -> None:
    for role in ROLES:
        link = api.post("/users", {"name": role, "role": role})["link"]
        api.post("/password-resets", {"secret": link["secret"], "password": PASSWORD})


def approved(shell: Shell, groups: Sequence[str]) -> None:
    """Register these of the example groups, and approve all that is in them."""
    for name in groups:
        place = shell.folder / "groups" / name
        shutil.copytree(EXAMPLES / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        shell.good("groups", "register", place)
    for name in groups:
        shell.good("groups", "approve", name, "--reason", "first release")


def pause(site: Site) -> None:
    """Nothing runs by itself there until it is resumed."""
    for one in _schedules(site):
        site.api.post(f"/schedules/{one['id']}/pauses", {"reason": "nobody looks"})


def resume(site: Site) -> None:
    """From now on due instants run there, as at its start."""
    for one in _schedules(site):
        if one["paused_at"]:
            site.api.delete(f"/schedules/{one['id']}/pauses")


def _schedules(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.api.get("/schedules")["items"]
    return found


def _answers(api: Client) -> bool:
    try:
        api.get("/health")
    except StepwellError:
        return False
    return True


def _end(process: subprocess.Popen[bytes], data: Path) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
    launcher = ProcessLauncher(data)
    for job in data.glob("jobs/*/"):  # a run outlives its server, and no other will come
        launcher.stop(launcher.find(job.name))
