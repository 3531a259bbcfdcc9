"""What `stepwell dev` does: start everything, register the groups, and follow their files."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Final

from watchfiles import watch
from watchfiles.main import FileChange

import stepwell
from stepwell.cli import profile
from stepwell.cli.client import Client
from stepwell.cli.groups import finder
from stepwell.cli.profile import Profile
from stepwell.cli.render import Output
from stepwell.cli.runs.feed import RunFeed
from stepwell.cli.serving.hosting import migrate_apart, serving
from stepwell.cli.serving.listener import bound, bound_near
from stepwell.cli.serving.places import alone_in
from stepwell.cli.serving.reload import GroupKeeper
from stepwell.cli.serving.stopping import until_asked_to_stop
from stepwell.server.access import developer
from stepwell.server.app import Server
from stepwell.server.settings import Settings

HOST: Final = "127.0.0.1"
PORT: Final = 8420
_FEED_SECONDS: Final = 1.0


class Development:
    """One developer's server and the groups under a path.

    Parameters
    ----------
    out : where its words go.
    path : a file, a package or a folder of them.
    data_dir : all that it keeps.
    port : exactly this one; None takes 8420 or a free one.
    approve : approve each discovery by itself.
    environment : what the groups' images get.
    """

    def __init__(
        self,
        out: Output,
        path: Path,
        data_dir: Path,
        port: int | None,
        *,
        approve: bool,
        environment: Mapping[str, str],
    ) -> None:
        self.out, self.path, self.data_dir = out, path, data_dir.absolute()
        self._port, self._approve, self._environment = port, approve, environment

    def run(self) -> None:
        """Until Ctrl-C or SIGTERM.

        Raises
        ------
        NoGroups, GroupTwice, PortTaken : before anything has started.
        Conflict : another one is at work in the data folder.
        """
        finder.find(self.path)
        with alone_in(self.data_dir):
            self._serve()

    def _serve(self) -> None:
        socket = bound_near(HOST, PORT) if self._port is None else bound(HOST, self._port)
        settings = Settings.for_dev(self.data_dir, host=HOST, port=socket.getsockname()[1])
        self._log_to_file()
        migrate_apart(settings)
        with until_asked_to_stop() as asked, serving(Server(settings), socket) as server:
            with self._clients(server) as (api, feed):
                self._follow(api, feed, asked)
                self._tell_unended(api)
            self.out.note("stopping ...")

    def _follow(self, api: Client, feed: Client, asked: Event) -> None:
        keeper = GroupKeeper(self.out, api, self.path, self._environment, approve=self._approve)
        reporter = Thread(target=self._report, args=(feed, asked), daemon=True)
        reporter.start()
        keeper.refresh(asked)
        self.out.note(f"watching {self.path} for changes; Ctrl-C stops")
        unseen = True  # what changed before the watch was set up
        for changes in self._looks(asked):
            if changes or unseen:
                keeper.refresh(asked)
                unseen = False
        reporter.join(_FEED_SECONDS * 5)

    def _looks(self, asked: Event) -> Iterator[set[FileChange]]:
        """What has changed under the path, twice a second; mostly nothing."""
        return watch(
            self.path,
            stop_event=asked,
            raise_interrupt=False,
            rust_timeout=500,
            yield_on_timeout=True,
        )

    def _report(self, api: Client, asked: Event) -> None:
        """Print each run as it ends; what cannot be read now is read the next time."""
        feed = RunFeed(api)
        while not asked.wait(_FEED_SECONDS):
            for line in feed.lines():
                self.out.line(line)

    def _tell_unended(self, api: Client) -> None:
        """What runs is a process of its own, which a restart does not touch."""
        for state in ("starting", "running"):
            for run in api.items("/runs", 100, state=state):
                self.out.note(f"run {run['id']} goes on; the next stepwell dev here takes it up")

    @contextmanager
    def _clients(self, server: Server) -> Iterator[tuple[Client, Client]]:
        token = server.admin_token_file.read_text().strip()
        kept = Profile(server.settings.url, token, "stepwell dev")
        path = profile.write(Path.cwd() / profile.FOLDER, kept)
        self._tell(server, path)
        with Client(kept) as api, Client(kept) as feed:
            yield api, feed

    def _tell(self, server: Server, kept: Path) -> None:
        settings = server.settings
        places = {
            "API": f"{settings.url}/api/v1",
            "database": settings.database,
            "token": f"{kept} (other commands find it from here)",
            "log": self.data_dir / "server.log",
        }
        self.out.note(f"stepwell dev {stepwell.__version__}")
        for name, place in places.items():
            self.out.note(f"  {name:9} {place}")
        self.out.note("Open, once, within the hour (`stepwell ui` opens another):")
        with server.db.write() as conn:
            link = developer.link(conn, settings)
        print(f"  {link.url}", file=sys.stderr, flush=True)

    def _log_to_file(self) -> None:
        handler = logging.FileHandler(self.data_dir / "server.log")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        logging.basicConfig(level=logging.INFO, handlers=[handler])
        for noisy in ("httpx", "watchfiles"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
