"""Which engines of this data folder are dead for certain, so that nobody waits for their silence.

A server holds a lock on a file that is named by its engine's id for as long as it lives. The
kernel lets go of it when the process ends, however it ends. Whoever gets the lock of another
engine's file has the proof that silence is for those who have none (R10).
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO
from uuid import UUID

from stepwell.events import emit
from stepwell.stores.protocol import Store


class Life:
    """The lock of this server's engine, and a look at those of others.

    Where the folder's file system knows no locks there is no proof, and the heartbeat decides.

    Parameters
    ----------
    folder : it is made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._own: Path | None = None

    def begin(self, store: Store, engine_id: UUID) -> None:
        """Take the lock for an engine that has joined, and bury those that are proven dead."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._own = self._folder / str(engine_id)
            draft = self._folder / f"new-{engine_id}"  # nobody looks there: it is no engine's
            self._file = _locked(draft)
            draft.rename(self._own)
            for path, dead in list(self._dead()):
                _bury(store, engine_id, dead)
                path.unlink(missing_ok=True)

    def end(self) -> None:
        """Let go: the engine has left by itself."""
        if self._file is not None and self._own is not None:
            self._own.unlink(missing_ok=True)
            self._file.close()
        self._file = None

    def _dead(self) -> Iterator[tuple[Path, UUID]]:
        for path in self._folder.iterdir():
            with suppress(OSError, ValueError):  # one that lives, or no engine's
                engine_id = UUID(path.name)
                if path != self._own:
                    _locked(path).close()
                    yield path, engine_id


def _locked(path: Path) -> IO[bytes]:
    """The file, locked; raises `OSError` if somebody else holds it."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def _bury(store: Store, own: UUID, dead: UUID) -> None:
    with store.transaction() as tx:
        beats = tx.beat(own, ()).beats
        burial = tx.bury(dead, beats[dead]) if dead in beats else None
    if burial is not None:
        emit("engine.buried", engine=dead, released=burial.released, failed=burial.failed)
