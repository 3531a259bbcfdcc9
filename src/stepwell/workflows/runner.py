"""What `python -m stepwell.workflows` does inside an image: discover its group, or run one."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final
from uuid import UUID

from stepwell.engine import Engine
from stepwell.errors import Denied, InvalidInput, NotFound, StepwellError, StoreUnavailable
from stepwell.outcome import Fail, Outcome
from stepwell.registry import Registry
from stepwell.step import StepQuery, StepStatus
from stepwell.stores.http import HttpStore, ServerLink
from stepwell.stores.patience import patiently
from stepwell.workflows.backend import HttpBackend
from stepwell.workflows.errors import ImageContract, WorkflowUnknown
from stepwell.workflows.host import ChildHost, Started
from stepwell.workflows.logbook import FAREWELL, LogBook, sender
from stepwell.workflows.manifest import WorkflowEntry
from stepwell.workflows.operations import QUEUE, Operations

SINGLE: Final = "step"
"""The mode in which one step is executed, outside of any workflow group."""

OK: Final = 0
USERS_MISTAKE: Final = 2
NO_SERVER: Final = 3
TERMINATED: Final = 143

PATIENCE: Final = 5 * 60.0
"""Seconds: a retry that is due within them is waited for, a later one ends the container (R33)."""

LATEST: Final = 8.0
"""Seconds after SIGTERM at which it ends, whatever the server does: launchers kill after 10."""

_DELIVERY: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
_RESTART: Final = (0.5, 1.0, 2.0, *[5.0] * 60)
"""A server that is upgraded is away for minutes. A run that has begun waits for it without an
end; one that has not begun yet waits for so long, before its attempt counts as lost."""


class _Terminated(BaseException):
    """The launcher asks to stop."""


@dataclass(frozen=True, slots=True)
class Image:
    """The environment of an image, checked."""

    mode: str
    group: Path
    url: str
    token: str
    subject: UUID

    @staticmethod
    def of(environment: Mapping[str, str]) -> Image:
        """Read it; raises `ImageContract`, naming the variable that is missing or wrong."""
        mode = _variable(environment, "STEPWELL_MODE")
        if mode not in ("discover", "run"):
            raise ImageContract(
                f"STEPWELL_MODE is {mode!r}.", fix="It is 'discover', 'run' or 'step'."
            )
        subject = "STEPWELL_RUN_ID" if mode == "run" else "STEPWELL_DISCOVERY_ID"
        return Image(
            mode,
            Path(_variable(environment, "STEPWELL_GROUP")),
            _variable(environment, "STEPWELL_URL"),
            _variable(environment, "STEPWELL_TOKEN"),
            _id(subject, _variable(environment, subject)),
        )


def main(environment: Mapping[str, str], started: Started | None = None) -> int:
    """Do what the environment says, and return the exit code. `started` is the process of the
    group's code, where whoever calls this has one.

    0: done, whatever became of the run. 2: a mistake in the image, which is reported.
    3: the server is not reachable, or refuses the token. 143: stopped by SIGTERM.
    """
    if environment.get("STEPWELL_MODE") == SINGLE:
        # A store in memory and the types of steps, which no run needs.
        from stepwell.workflows import one_step  # noqa: PLC0415

        return one_step.main(environment)
    try:
        image = Image.of(environment)
        link = ServerLink(image.url, image.token)
        if image.mode == "discover":
            host = ChildHost(image.group, environment=environment, started=started)
            return _guarded(lambda: _discover(image, host, link), host)
        book = LogBook(sender(link, image.subject))
        host = ChildHost(image.group, environment=environment, log=book, started=started)
        return _logged(book, lambda: _guarded(lambda: _run(image, host, link, book), host))
    except (Denied, StoreUnavailable) as error:
        return _say(error, NO_SERVER)
    except StepwellError as error:
        return _say(error, USERS_MISTAKE)


def _guarded(work: Callable[[], int], host: ChildHost) -> int:
    """The work, with the child ended in every case."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        try:
            host.start()
            return work()
        finally:
            # It ends already, within seconds: what the work has come to is what it returns.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    except _Terminated:
        return TERMINATED
    finally:
        host.stop()


def _logged(book: LogBook, work: Callable[[], int]) -> int:
    """The work, with all that was written in it sent before this process ends."""
    book.start()
    try:
        return work()
    finally:
        book.close(FAREWELL)


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    raise _Terminated


def _discover(image: Image, host: ChildHost, link: ServerLink) -> int:
    path = f"/api/v1/discoveries/{image.subject}"
    try:
        manifest = host.manifest()
    except StepwellError as error:
        _deliver(link, f"{path}/error", error.as_dict())
        return _say(error, USERS_MISTAKE)
    _deliver(link, f"{path}/manifest", manifest.as_json())
    return OK


def _deliver(link: ServerLink, path: str, body: Any) -> None:
    patiently(lambda: link.post(path, body), _DELIVERY)


def _run(image: Image, host: ChildHost, link: ServerLink, book: LogBook) -> int:
    run_id = image.subject
    assignment = patiently(lambda: link.get(f"/api/v1/runs/{run_id}/assignment"), _RESTART)
    paired = bool(assignment.get("paired"))  # an older server does not say so
    store = HttpStore(image.url, run_id, image.token, link=link, paired=paired, patience=_RESTART)
    try:
        workflow = _assigned(host, assignment)
    except (InvalidInput, NotFound) as error:
        _fail_run(store, run_id, error)
        return _say(error, USERS_MISTAKE)
    operations = Operations(
        assignment["group"],
        workflow,
        store,
        host,
        HttpBackend(link, run_id),
        due_at=_instant(assignment.get("due_at")),
        log=book,
    )
    registry = Registry()
    operations.register(registry)
    _drain(_engine(store, registry, run_id), link)
    return OK


def _assigned(host: ChildHost, assignment: Mapping[str, Any]) -> WorkflowEntry:
    manifest = host.manifest()
    try:
        if manifest.group.name == assignment["group"]:
            return manifest.workflow(assignment["workflow"])
    except KeyError:
        pass
    raise WorkflowUnknown(
        f"This image has no workflow {assignment['group']}/{assignment['workflow']}.",
        why=f"It has the group {manifest.group.name!r} with "
        f"{', '.join(one.name for one in manifest.workflows)}.",
        fix="Discover the group again, and approve what it declares now.",
    )


def _fail_run(store: HttpStore, run_id: UUID, error: StepwellError) -> None:
    """End what is ready with the mistake, so that the run shows it."""
    query = StepQuery(flow_id=run_id, status=StepStatus.READY)
    with store.transaction() as tx:
        ready = patiently(lambda: tx.search(query), _RESTART)
    registry = Registry()

    def fail() -> Outcome:
        return Fail(description=str(error))

    for name in {step.name for step in ready}:
        registry.add(fail, name)
    _drain(_engine(store, registry, run_id), store.link)


def _engine(store: HttpStore, registry: Registry, run_id: UUID) -> Engine:
    return Engine(store, registry, queues=(QUEUE,), workers=1, flow_id=run_id)


def _drain(engine: Engine, link: ServerLink) -> None:
    """Work until nothing is due. A token that is refused ends it at once, whatever runs: it
    was revoked, and a newer attempt may be at work."""
    refused: list[Denied] = []

    def stop(error: Denied) -> None:
        if not refused:
            refused.append(error)
            os.kill(os.getpid(), signal.SIGTERM)  # handled in the main thread, which drains

    link.on_denied = stop
    try:
        engine.drain(patience=PATIENCE)
    except _Terminated:
        if refused:
            raise refused[0] from None
        _end_within(LATEST)
        engine.stop(timeout=0.0)  # gives the claims back, so that the next attempt need not wait
        raise
    finally:
        link.on_denied = None


def _end_within(seconds: float) -> None:
    """A server that is away must not hold up the end: what was not given back falls anyway."""
    timer = threading.Timer(seconds, os._exit, (TERMINATED,))
    timer.daemon = True
    timer.start()


def _say(error: StepwellError, code: int) -> int:
    sys.stderr.write(f"stepwell: {error} [{error.code}]\n")
    return code


def _variable(environment: Mapping[str, str], name: str) -> str:
    try:
        return environment[name]
    except KeyError:
        raise ImageContract(
            f"The environment variable {name} is not set.",
            why="A launcher tells the image what to do by its environment.",
            fix="Let a Stepwell server start the image, or use `stepwell run` to try a group.",
        ) from None


def _id(name: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ImageContract(f"{name} is {text!r}, which is no id.") from None


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
