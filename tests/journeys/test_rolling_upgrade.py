"""Servers are exchanged one by one: two versions work on one database at the same time."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import answers
from tests.cli.shell import free_port

from stepwell.cli.client import Client
from stepwell.cli.profile import Profile
from stepwell.server.database import schema

ROOT = Path(__file__).parents[2]
FOLDER = "src/stepwell/server/database/migrations/versions"
MIGRATIONS = (
    FOLDER,
    *(f"src/stepwell/stores/{name}/migrations" for name in ("sqlite", "postgres")),
)

GROUP = """
from stepwell.workflows import WorkflowGroup, operation

group = WorkflowGroup("greetings")


@group.workflow
class Greet:
    @operation
    def greet(self) -> str:
        return "done"
"""

TOMORROW = '''
"""What a later version may add."""
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    """A column that has a default."""
    op.add_column("runs", sa.Column("mood", sa.String(20), server_default="fine"))
'''


EACH_SECOND = {
    "group": "greetings",
    "workflow": "greet",
    "name": "each-second",
    "spec": {"kind": "interval", "seconds": 1, "overlap": "skip"},
}

PATIENCE = 240.0
"""Seconds that anything may take: each command starts an interpreter, on a busy machine."""


def wait(happened: Callable[[], Any], log: Path | None = None) -> Any:
    """What `happened` gives as soon as that is true."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = happened()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(log.read_text() if log else "it did not happen")


class Version:
    """One version of the package, whose commands run as processes of their own.

    Parameters
    ----------
    source : the folder that holds the package.
    folder : where it works.
    url : the database.
    """

    def __init__(self, name: str, source: Path, folder: Path, url: str) -> None:
        self.name, self.folder = name, folder
        own = {"PYTHONPATH": str(source), "STEPWELL_DATABASE_URL": url, "COLUMNS": "200"}
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("STEPWELL")}
        self.environment = {**inherited, **own, "STEPWELL_CONFIG": str(folder / "config")}

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """A command, to its end."""
        return subprocess.run(
            self._command(words),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def good(self, *words: object) -> str:
        """The same, and it must have worked; its answer."""
        ended = self.run(*words)
        assert ended.returncode == 0, (self.name, words, ended.stdout, ended.stderr)
        return ended.stdout.strip()

    @contextmanager
    def serving(self, token: str) -> Iterator[Client]:
        """A server of this version, with its engine; yields a client of it."""
        profile = Profile(f"http://127.0.0.1:{free_port()}", token)
        port = profile.url.rpartition(":")[2]
        log = self.folder / f"{self.name}-{port}.log"
        words = self._command(("serve", "--launcher", "process", "--port", port))
        with log.open("w") as file:
            process = subprocess.Popen(
                words, cwd=self.folder, env=self.environment, stdout=file, stderr=file
            )
        try:
            wait(lambda: answers(profile), log)
            with Client(profile) as client:
                yield client
        finally:
            process.terminate()
            code = process.wait(PATIENCE)
        assert code == 0, log.read_text()

    def _command(self, words: tuple[object, ...]) -> list[str]:
        return [sys.executable, "-W", "ignore", "-u", "-m", "stepwell.cli", *map(str, words)]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'server.db'}"
    make: Callable[[], str] = request.getfixturevalue("postgres_database")
    return make()


def git(*words: str) -> bytes:
    """What git says; nothing where there is no history."""
    ended = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    return ended.stdout if ended.returncode == 0 else b""


def migrations(commit: str) -> dict[str, str]:
    """The migrations of a commit, of the server and of steps: path -> the hash of the contents."""
    lines = git("ls-tree", commit, *(f"{one}/" for one in MIGRATIONS)).decode().splitlines()
    found = (line.split() for line in lines)
    return {path: contents for _, _, contents, path in found if is_migration(path)}


def is_migration(path: str) -> bool:
    return path.endswith(".sql") or Path(path).match("v*.py")


def last_that_differs() -> str | None:
    """The newest commit that has some of today's migrations, and no others."""
    files = [path for folder in MIGRATIONS for path in (ROOT / folder).iterdir()]
    today = {
        str(path.relative_to(ROOT)): git("hash-object", str(path)).decode().strip()
        for path in files
        if is_migration(str(path))
    }
    for commit in git("log", "--first-parent", "--format=%H", "--", *MIGRATIONS).decode().split():
        then = migrations(commit)
        if then and then.items() < today.items():
            return commit
    return None


@pytest.fixture
def before(tmp_path: Path, url: str) -> Version:
    """The package of the last commit whose migrations were fewer."""
    commit = last_that_differs()
    if commit is None:
        pytest.skip("the history of this checkout has no earlier migration")
    with tarfile.open(fileobj=io.BytesIO(git("archive", commit, "src"))) as archive:
        archive.extractall(tmp_path / "before", filter="data")
    return Version("before", tmp_path / "before" / "src", tmp_path, url)


def succeeded(client: Client, run_id: str) -> bool:
    state = client.get(f"/runs/{run_id}")["state"]
    assert state not in ("failed", "cancelled")
    return bool(state == "succeeded")


def accounted(client: Client, schedule: str) -> int:
    """How many due instants are in the ledger; both versions write it."""
    return sum(one["count"] for one in client.items(f"/schedules/{schedule}/ledger", 1000))


def reviewed(client: Client, group: str) -> dict[str, Any] | None:
    (found,) = client.items(f"/groups/{group}/discoveries", 1)
    assert found["state"] != "failed", found
    return dict(found) if found["state"] == "succeeded" else None


@pytest.mark.slow
def test_the_version_before_goes_on_while_the_tables_are_those_of_today(
    before: Version, tmp_path: Path, url: str
) -> None:
    """It serves and works when the new one migrates, and while the new one works too. No due
    instant is lost or doubled between them, nor when the old one goes."""
    now = Version("now", ROOT / "src", tmp_path, url)
    (tmp_path / "greetings.py").write_text(GROUP)
    before.good("migrate")
    token = before.good("tokens", "create", "tests", "--role", "admin", "--direct")
    with ExitStack() as stack:
        going = stack.enter_context(ExitStack())
        old = going.enter_context(before.serving(token))
        now.good("migrate")
        old.post("/groups", {"launcher": "process", "image": str(tmp_path / "greetings.py")})
        wait(lambda: reviewed(old, "greetings"))
        new = stack.enter_context(now.serving(token))
        server = ("--url", new.profile.url, "--token", token)
        now.good("groups", "approve", "greetings", "--reason", "the first", *server)
        for client in (old, new):
            run = client.post("/workflows/greetings/greet/runs", {"parameters": {}})
            wait(partial(succeeded, new, run["id"]))
            assert succeeded(old, run["id"])
        old.post("/tokens", {"name": "made-by-the-old-one", "role": "viewer"})
        assert "made-by-the-old-one" in [one["name"] for one in new.items("/tokens")]
        schedule = old.post("/schedules", EACH_SECOND)["id"]
        wait(lambda: accounted(old, schedule) > 3)
        going.close()
        before_that = accounted(new, schedule)
        wait(lambda: accounted(new, schedule) > before_that + 3)
        new.post(f"/schedules/{schedule}/pauses", {"reason": "the end"})
        wait(lambda: new.get(f"/schedules/{schedule}/audit")["proven"])


@pytest.mark.slow
def test_todays_version_starts_on_tables_to_which_a_later_one_has_added(
    tmp_path: Path, url: str
) -> None:
    """A server that is restarted in the middle of an upgrade comes back (R44)."""
    shutil.copytree(ROOT / "src", tmp_path / "later", ignore=shutil.ignore_patterns("__pycache__"))
    folder = tmp_path / "later" / FOLDER.removeprefix("src/")
    (folder / "v9999_tomorrow.py").write_text(TOMORROW.format(head=schema.newest()))
    later = Version("later", tmp_path / "later", tmp_path, url)
    today = Version("today", ROOT / "src", tmp_path, url)
    assert "9999" in later.good("migrate")
    token = today.good("tokens", "create", "tests", "--role", "admin", "--direct")
    with today.serving(token) as one, later.serving(token) as other:
        assert one.get("/me") == other.get("/me")
    assert today.good("migrate")  # nothing to do, and no refusal
