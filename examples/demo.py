"""The whole way of three workflow groups, with the commands that a person would type.

    python examples/demo.py           until Ctrl-C
    python examples/demo.py --once    until each scheduled workflow has succeeded once

A server starts on a fresh database in `.demo`. The groups are registered,
discovered, reviewed and approved; then their schedules are due, and they run.
With --once the exit code is 0 if all of that went well within 90 seconds, or --within.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from stepwell.cli import render
from stepwell.cli.app import app
from stepwell.cli.client import Client
from stepwell.cli.exits import described
from stepwell.cli.profile import Profile, write
from stepwell.cli.runs import feed
from stepwell.cli.serving.listener import bound
from stepwell.errors import StepwellError
from stepwell.launchers.process import ProcessLauncher

EXAMPLES = Path(__file__).resolve().parent
HOME = EXAMPLES.parent / ".demo"
GROUPS = ("weather", "digest", "flaky")
SCHEDULED = {"weather/load-weather", "digest/text-digest", "flaky/rank-shares"}
SECONDS = 90
HELD: list[Any] = []

CHANGE = (
    ("retries=3", "retries=4"),
    (
        "\n\ndef _rows()",
        '''
    @operation
    def name_the_best(self, rank: list[Rank]) -> list[str]:
        """Name the three shares that grew most."""
        return [one.symbol for one in rank[:3]]


def _rows()''',
    ),
)
"""What a developer changes in `flaky` while it is in use: old text, new text."""

say = Console(highlight=False, width=None if sys.stdout.isatty() else 110)


class WentWrong(Exception):
    """The demo cannot go on; the message says where and why."""


class Letters:
    """A mail server that keeps each letter as a file and says so."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Called by aiosmtpd for each letter."""
        path = self.folder / f"{len(list(self.folder.iterdir())) + 1:03}.eml"
        path.write_bytes(envelope.content)
        say.print(f"  e-mail to {', '.join(envelope.rcpt_tos)}: {shown(path)}", style="magenta")
        return "250 OK"


def main() -> int:
    """Run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--once", action="store_true", help="stop when each has succeeded once")
    parser.add_argument(
        "--within", type=int, default=SECONDS, metavar="SECONDS", help="with --once: that long"
    )
    given = parser.parse_args()
    once = given.once
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if once:
        signal.signal(signal.SIGALRM, partial(too_long, given.within))
        signal.alarm(given.within)
    begun = time.monotonic()
    try:
        with ExitStack() as stack:
            demonstrate(stack, once)
    except (WentWrong, StepwellError) as error:
        told = described(error, as_json=False) if isinstance(error, StepwellError) else str(error)
        say.print(
            f"\nThe demo failed.\n{told}\nThe server's log: {HOME / 'server.log'}", style="red"
        )
        return 1
    except KeyboardInterrupt:
        say.print("\nstopped")
        return 0
    say.print(f"\nAll went well, in {time.monotonic() - begun:.0f} s.", style="green")
    return 0


def too_long(seconds: int, *_: object) -> None:
    """The alarm of --once."""
    raise WentWrong(f"It took longer than {seconds} s.")


def demonstrate(stack: ExitStack, once: bool) -> None:
    """Everything, in order."""
    prepare()
    chapter("A mail server and a Stepwell server, on a fresh database in .demo")
    mail = stack.enter_context(mail_server())
    api = stack.enter_context(stepwell_server())
    runs = feed.RunFeed(api, history=True)

    chapter("Register: each group's file is looked into by running it in discover mode")
    for name in GROUPS:
        extra = ["--env", f"DIGEST_SMTP={mail}"] if name == "digest" else []
        stepwell("groups", "register", shown(HOME / "groups" / name), *extra)

    chapter("Review and approve: nothing is scheduled before a person has agreed")
    stepwell("groups", "review", "weather")
    for name in GROUPS:
        stepwell("groups", "approve", name, "--reason", "first release")

    chapter("Somebody changes flaky: the difference is shown before it takes effect")
    change_flaky()
    stepwell("groups", "discover", "flaky")
    stepwell("groups", "review", "flaky")
    stepwell("groups", "approve", "flaky", "--reason", "one more try, and name the best")

    chapter("The schedules are due every 20 seconds; a run can be started by hand, too")
    stepwell("schedules", "list")
    stepwell("runs", "start", "weather", "year-in-review", "--param", "year=2015", "--wait")
    ended = wait_for_first_runs(runs)

    chapter("What came of it")
    close(api, ended)
    if not once:
        go_on(runs)


def prepare() -> None:
    """Begin anew: an empty .demo with a copy of the groups, as a developer's own files."""
    os.chdir(HOME.parent)
    os.environ |= {"COLUMNS": str(say.width - 2)} | (
        {"FORCE_COLOR": "1"} if say.is_terminal else {}
    )
    shutil.rmtree(HOME, ignore_errors=True)
    for name in GROUPS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(EXAMPLES / name, HOME / "groups" / name, ignore=ignored)


@contextmanager
def mail_server() -> Iterator[str]:
    """A mail server on a free port of this machine; yields host:port."""
    port = free_port()
    controller = Controller(
        Letters(HOME / "mail"), hostname="127.0.0.1", port=port, ready_timeout=60
    )
    controller.start()
    say.print(f"  mail server 127.0.0.1:{port}, letters are kept in {shown(HOME / 'mail')}")
    try:
        yield f"127.0.0.1:{port}"
    finally:
        controller.stop()


@contextmanager
def stepwell_server() -> Iterator[Client]:
    """`stepwell serve` in a process of its own; yields a client of its API."""
    port = free_port()
    os.environ["STEPWELL_DATA_DIR"] = str(HOME / "data")
    stepwell("migrate")
    token = stepwell("tokens", "create", "demo", "--role", "admin", "--direct", secret=True)
    profile = Profile(f"http://127.0.0.1:{port}", token)
    write(HOME / ".stepwell", profile)  # so that commands typed in .demo find the server
    os.environ |= {"STEPWELL_URL": profile.url, "STEPWELL_TOKEN": profile.token}
    with (HOME / "server.log").open("w") as log:
        server = begin("serve", "--launcher", "process", "--port", str(port), log=log)
        try:
            with Client(profile) as api:
                until_up(api, server)
                say.print(f"  API {profile.url}/api/v1, log in {shown(HOME / 'server.log')}")
                say.print(f"  pages {way_in(profile.url)}", soft_wrap=True)
                say.print("  in another terminal, from .demo: ../.venv/bin/stepwell runs list")
                yield api
        finally:
            end(server)
            end_launched()


def way_in(url: str) -> str:
    """Where the first admin is made: what the server has printed, with the secret for it."""
    found = re.search(r"open (\S+)", (HOME / "server.log").read_text())
    return found[1] if found else url


def end_launched() -> None:
    """Stop the runs that are still going: another server would find them, but none will come."""
    launcher = ProcessLauncher(HOME / "data")
    for job in (HOME / "data").glob("jobs/*"):
        launcher.stop(launcher.find(job.name))


def end(server: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, and make it stop if it does not."""
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()


def until_up(api: Client, server: subprocess.Popen[bytes]) -> None:
    """Returns when the server answers."""
    while server.poll() is None:
        try:
            api.get("/health")
        except StepwellError:
            time.sleep(0.1)
        else:
            return
    raise WentWrong("The server did not start.")


def change_flaky() -> None:
    """What a developer does in an editor."""
    path = HOME / "groups" / "flaky" / "workflows.py"
    text = path.read_text()
    for old, new in CHANGE:
        text = text.replace(old, new)
    path.write_text(text)
    say.print(f"  changed {shown(path)}: a retry more, and an operation at the end", soft_wrap=True)


def wait_for_first_runs(runs: feed.RunFeed) -> list[dict[str, Any]]:
    """Tell runs as they end, until each scheduled workflow has one; all that ended."""
    told: list[dict[str, Any]] = []
    missing = set(SCHEDULED)
    say.print(f"  waiting for {', '.join(sorted(missing))}")
    while missing:
        for run in runs.ended():
            told.append(run)
            tell(run)
            missing.discard(render.named(run) if run["trigger"] == "schedule" else "")
        time.sleep(0.3)
    return told


def tell(run: Mapping[str, Any]) -> None:
    """One line for a run that has ended; one that has not succeeded ends the demo."""
    good = run["state"] == "succeeded"
    say.print(f"  {feed.line(run)}", style="green" if good else "red", soft_wrap=True)
    if not good:
        raise WentWrong(f"{render.named(run)} {run['state']}: {run['reason']}")


def close(api: Client, ended: list[dict[str, Any]]) -> None:
    """The closing table, the reports as files, the metrics and the ledger."""
    columns = {
        "workflow, operation": "name",
        "run": "run_id",
        "outcome": "outcome",
        "took": "duration",
        "tries": "executions",
    }
    say.print(render.table([row for run in ended for row in rows_of(api, run)], columns))
    say.print()
    for run in ended:
        for path in save_reports(api, run):
            say.print(f"report {shown(path)}, {path.stat().st_size:,} bytes", soft_wrap=True)
    stepwell("metrics")
    for name in sorted(SCHEDULED):
        stepwell("schedules", "ledger", name, "--limit", "3")
    # To what has run: the instant of this very second may not be entered yet.
    due = max(run["due_at"] for run in ended if run["trigger"] == "schedule" and of_weather(run))
    stepwell("schedules", "audit", "weather/load-weather", "--to", due)


def of_weather(run: Mapping[str, Any]) -> bool:
    """Whether it is a run of the schedule that is audited in the end."""
    return bool(render.named(run) == "weather/load-weather")


def rows_of(api: Client, run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for the run and one for each of its operations."""
    took = feed.duration(run)
    yield {
        "name": render.named(run),
        "run_id": run["id"],
        "outcome": run["state"],
        "duration": took,
    }
    for step in api.items(f"/runs/{run['id']}/steps"):
        yield step | {"name": f"  {step['operation']}", "run_id": "", "outcome": step["ended_as"]}


def save_reports(api: Client, run: dict[str, Any]) -> Iterator[Path]:
    """Write the run's reports to .demo/reports; their paths."""
    folder = HOME / "reports" / run["group"] / run["workflow"]
    for report in api.items("/reports", 100, run_id=run["id"]):
        folder.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^\w.-]+", "-", report["name"]).strip(".-") or "report"
        path = folder / f"{name}{SUFFIX.get(report['media_type'], '.bin')}"
        path.write_bytes(api.raw("GET", f"/reports/{report['id']}/content").content)
        yield path


SUFFIX = {"application/json": ".json", "text/markdown": ".md", "image/png": ".png"}


def go_on(runs: feed.RunFeed) -> None:
    """Tell each further run, until Ctrl-C."""
    chapter("It goes on: Ctrl-C stops")
    while True:
        for run in runs.ended():
            say.print(f"  {feed.line(run)}")
        time.sleep(0.5)


def stepwell(*words: str, secret: bool = False) -> str:
    """Type a command: show it and what it answers; what it printed.

    It runs in this process, which spares the second that an interpreter takes to start.
    """
    say.print(Text(f"$ stepwell {shlex.join(words)}", style="bold"), soft_wrap=True)
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed if not secret else io.StringIO()):
        code = exit_code_of(words)
    answer = "(the secret is not shown here)" if secret else printed.getvalue().rstrip()
    for line in answer.splitlines():
        say.print(Text("  ") + Text.from_ansi(line), soft_wrap=True)
    if code == 130:  # Ctrl-C reached the command, which ended itself
        raise KeyboardInterrupt
    if code != 0:
        raise WentWrong(f"`stepwell {shlex.join(words)}` ended with {code}.")
    return printed.getvalue().strip()


def exit_code_of(words: Sequence[str]) -> int:
    """Run the command line; what the shell would see in $?."""
    try:
        app(list(words))
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def begin(*words: str, log: Any) -> subprocess.Popen[bytes]:
    """Type a command that goes on."""
    say.print(Text(f"$ stepwell {shlex.join(words)}", style="bold"), soft_wrap=True)
    command = [sys.executable, "-m", "stepwell.cli", *words]
    return subprocess.Popen(command, stdout=log, stderr=log)


def free_port() -> int:
    """A port of this machine that nobody else is given meanwhile: its socket stays bound."""
    HELD.append(bound("127.0.0.1", 0))
    return int(HELD[-1].getsockname()[1])


def shown(path: Path) -> str:
    """A path as seen from the folder that the commands are typed in."""
    return str(path.relative_to(HOME.parent))


def chapter(title: str) -> None:
    """A heading."""
    say.print()
    say.print(Rule(f"[bold]{title}[/bold]", align="left"))


if __name__ == "__main__":
    sys.exit(main())
