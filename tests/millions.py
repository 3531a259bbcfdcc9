"""A server's database with a million runs: the files that want one share it, as it takes long."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from benchmarks.many_runs import fill
from tests.server.live import without_fsync

from stepwell.server.app import Server
from stepwell.server.settings import Settings

RUNS = 1_000_000


class MillionRuns:
    """Makes the file when the first asks for it, in whichever worker, and copies it for each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of_all_workers(cls, made: pytest.TempPathFactory) -> MillionRuns:
        """The one of this run of the tests."""
        own = made.getbasetemp()
        return cls(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)

    def copy(self, path: Path) -> None:
        """A database of one's own, of no server yet."""
        with self._alone():
            if not self._file.exists():
                self._make()
            shutil.copyfile(self._file, path)

    def forget(self) -> None:
        """It is more than a gigabyte; who asks again has it made again."""
        with self._alone():
            self._file.unlink(missing_ok=True)

    @property
    def _file(self) -> Path:
        return self._folder / "million-runs.db"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._folder / "million-runs.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make(self) -> None:
        half = self._folder / "half-a-million-runs.db"
        half.unlink(missing_ok=True)
        url = f"sqlite:///{half}"
        server = without_fsync(
            Server(Settings(data_dir=self._folder, database_url=url), launchers={})
        )
        server.db.migrate()
        fill(server, RUNS)
        server.db.close()  # moves what is left in the log beside it into the file
        half.rename(self._file)
