"""A small server of its own, in a temporary folder: the image is registered and run in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from stepwell.cli.client import Client
from stepwell.cli.conformance.tap import Book, Exchange, Meddling, Tap
from stepwell.cli.groups.reviews import accept_all, of_newest
from stepwell.cli.profile import Profile
from stepwell.cli.serving.listener import Listener, bound
from stepwell.launchers.protocol import LaunchStatus
from stepwell.server.app import Server
from stepwell.server.settings import Settings

GRACE: Final = 10.0
"""Seconds in which an image must end when it is told to."""

_LOOK: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One discovery or run, as it ended: what the API says, what the image asked and wrote."""

    record: dict[str, Any]
    exchanges: list[Exchange]
    steps: list[dict[str, Any]]
    launches: list[LaunchStatus]
    output: str

    @property
    def ended(self) -> bool:
        """Whether it came to an end in time."""
        return self.record["state"] in ("succeeded", "failed", "cancelled")

    @property
    def good(self) -> bool:
        """Whether that end was a good one."""
        return bool(self.record["state"] == "succeeded")

    def asked(self, verb: str) -> list[Exchange]:
        """Its requests of one kind."""
        return [one for one in self.exchanges if one.verb == verb]


class Stage:
    """What the check plays on.

    Parameters
    ----------
    server, api, book : the parts.
    launcher : what starts the image.
    patience : seconds that a discovery or a run may take.
    """

    def __init__(
        self, server: Server, api: Client, book: Book, *, launcher: str, patience: float
    ) -> None:
        self.server, self.api, self.book = server, api, book
        self.launcher, self.patience = launcher, patience

    def register(self, image: str, environment: Mapping[str, str]) -> Played:
        """Register the image under the name that it states; its discovery."""
        body = {"image": image, "launcher": self.launcher, "environment": dict(environment)}
        return self._discovered(self.api.post("/groups", body)["discovery_id"])

    def discover(self, group: str) -> Played:
        """Discover it once more."""
        return self._discovered(self.api.post(f"/groups/{group}/discoveries", {})["id"])

    def approve(self, group: str) -> None:
        """Release what was discovered."""
        accept_all(self.api, of_newest(self.api, group), "checked")

    def run(
        self,
        workflow: str,
        parameters: Mapping[str, Any],
        meddling: Meddling,
        meanwhile: Callable[[str], None] = lambda run_id: None,
    ) -> Played:
        """Run the workflow (`group/name`) to its end, with interference.

        Parameters
        ----------
        meanwhile : called with the run's id as soon as it exists.
        """
        self.book.meddling = meddling
        begun = self.api.post(f"/workflows/{workflow}/runs", {"parameters": dict(parameters)})
        meanwhile(begun["id"])
        record = self._until(lambda: self.api.get(f"/runs/{begun['id']}"))
        if record["state"] not in ("succeeded", "failed", "cancelled"):
            self.api.post(f"/runs/{begun['id']}/cancellations", {"force": True})
            self._stop_all(record)
        numbers = [one["number"] for one in record["attempts"]]
        names = [f"{begun['id']}-{number}" for number in numbers]
        return Played(
            record=record,
            exchanges=self.book.of(begun["id"]),
            steps=list(self.api.items(f"/runs/{begun['id']}/steps", 1000)),
            launches=[self.status(name) for name in names],
            output="".join(self._logs(name) for name in names),
        )

    def status(self, name: str) -> LaunchStatus:
        """How a launch is."""
        launcher = self.server.services.launcher(self.launcher)
        return launcher.poll(launcher.find(name))

    def stop(self, name: str) -> None:
        """Ask a launch to end."""
        launcher = self.server.services.launcher(self.launcher)
        launcher.stop(launcher.find(name))

    def within(self, seconds: float, what: Callable[[], bool]) -> bool:
        """Whether it comes true in time."""
        end = time.monotonic() + seconds
        while not what():
            if time.monotonic() >= end:
                return False
            time.sleep(_LOOK)
        return True

    def _discovered(self, discovery_id: str) -> Played:
        def seen() -> dict[str, Any]:
            found: dict[str, Any] = self.api.get(f"/discoveries/{discovery_id}")
            return found if found["output"] is not None or _never_began(found) else {"state": ""}

        record = self._until(seen) or {}
        if not record["state"]:
            record = self.api.get(f"/discoveries/{discovery_id}")
        return Played(
            record=record,
            exchanges=self.book.of(discovery_id),
            steps=[],
            launches=[self.status(f"discover-{discovery_id}")],
            output=record["output"] or "",
        )

    def _until(self, get: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The record when it has ended, or as it is when patience is over."""
        found: list[dict[str, Any]] = [{}]

        def over() -> bool:
            found[0] = get()
            return found[0]["state"] in ("succeeded", "failed", "cancelled")

        self.within(self.patience, over)
        return found[0]

    def _stop_all(self, record: Mapping[str, Any]) -> None:
        for attempt in record["attempts"]:
            self.stop(f"{record['id']}-{attempt['number']}")

    def _logs(self, name: str) -> str:
        launcher = self.server.services.launcher(self.launcher)
        return launcher.logs(launcher.find(name))


def _never_began(found: Mapping[str, Any]) -> bool:
    """A discovery that failed before the image was started writes nothing."""
    return bool(found["state"] == "failed" and found["started_at"] is None)


@contextmanager
def staged(launcher: str, patience: float) -> Iterator[Stage]:
    """A stage, for the block; nothing of it is left afterwards."""
    with TemporaryDirectory(prefix="stepwell-check-") as folder:
        socket = bound("127.0.0.1", 0)
        settings = Settings.for_dev(
            Path(folder),
            port=socket.getsockname()[1],
            launchers=(launcher,),
            discovery_timeout=patience,
        )
        book = Book()
        with Server(settings) as server:
            token = server.admin_token_file.read_text().strip()
            server.app.add_middleware(Tap, book=book, token=token)
            listener = Listener(server.app, socket).start()
            try:
                with Client(Profile(settings.url, token, "the check")) as api:
                    yield Stage(server, api, book, launcher=launcher, patience=patience)
            finally:
                listener.stop()
