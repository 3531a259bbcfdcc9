"""What every room's verbs and steps get handed: settings, database, launchers, time, blobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from sqlalchemy import Connection

from stepwell.clock import SYSTEM, Clock
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.errors import Conflict
from stepwell.launchers.protocol import Launcher
from stepwell.retry import RetryPolicy
from stepwell.server.blobs.store import BlobStore
from stepwell.server.crowding import Crowd
from stepwell.server.database.session import Database
from stepwell.server.reaching import Reach
from stepwell.server.settings import Settings
from stepwell.step import OnConflict, Priority, new_step

QUEUE: Final = "server"
"""The server's own steps: a queue and workers of their own, so that users' work cannot
starve them (R36)."""

RETRY: Final = RetryPolicy(delays=(1.0, 2.0, 5.0))
"""The server's own steps are tried again at most 5 s apart, without limit (R3)."""


class LauncherOff(Conflict):
    """The launcher that a group names is not enabled here (R42)."""

    code = "launcher-off"


@dataclass(frozen=True, slots=True)
class Services:
    """The server's parts, made once by `stepwell.server.app.Server`."""

    settings: Settings
    db: Database
    launchers: Mapping[str, Launcher] = field(default_factory=dict)
    clock: Clock = SYSTEM
    blobs: BlobStore = field(default_factory=BlobStore.in_memory)
    reach: Reach = field(default_factory=Reach)
    crowd: Crowd = field(default_factory=Crowd)

    def launcher(self, name: str) -> Launcher:
        """The launcher of that name; raises `LauncherOff`."""
        try:
            return self.launchers[name]
        except KeyError:
            raise LauncherOff(
                f"The launcher {name!r} is not enabled on this server.",
                why=f"Enabled: {', '.join(sorted(self.launchers)) or 'none'}.",
                fix=f"Start the server with --launcher {name}, or STEPWELL_LAUNCHERS={name}.",
            ) from None

    @contextmanager
    def asking(self, name: str) -> Iterator[Launcher]:
        """The launcher of that name, for one question of a step of the server's own.

        Where it hangs, a quarter of the workers wait for it: notifications may have half of them,
        and the watch one.

        Raises
        ------
        LauncherOff, LauncherSilent.
        """
        launcher = self.launcher(name)
        with self.crowd.asking(name, max(self.settings.workers // 4, 1)):
            yield launcher

    def ensure(self, conn: Connection, *names: str, priority: Priority = Priority.NORMAL) -> None:
        """There is always one of these steps of the server's own: add those that are missing."""
        new = partial(
            new_step, queue=QUEUE, priority=priority, singleton=True, on_conflict=OnConflict.IGNORE
        )
        now = self.clock.now()
        self.db.steps(conn).add([seal(new(one), JSON, now) for one in names])
