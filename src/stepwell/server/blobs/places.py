"""Where blobs lie without a service: below a folder, or in memory.

A place has four verbs on keys of the form 'folder/name'; see `Place`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol


class Place(Protocol):
    """What keeps bytes by key. Every verb may raise `OSError`: try again."""

    def put(self, key: str, content: bytes) -> None:
        """Keep them; when this returns, they survive a power cut."""
        ...

    def get(self, key: str) -> bytes:
        """The bytes; raises `FileNotFoundError`."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Remove them; those that are not there are no mistake."""
        ...

    def names(self, folder: str) -> Iterator[str]:
        """The names in a folder, in any order; none, if there is no such folder."""
        ...


class Disk:
    """Below a folder, which is made with the first blob."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, content: bytes) -> None:
        """Written beside its place, and moved there whole: a reader sees all of it or nothing."""
        path = self._root / key
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        _sync(path.parent)

    def get(self, key: str) -> bytes:
        """See `Place`."""
        return (self._root / key).read_bytes()

    def delete(self, keys: Iterable[str]) -> None:
        """See `Place`."""
        for key in keys:
            (self._root / key).unlink(missing_ok=True)

    def names(self, folder: str) -> Iterator[str]:
        """Without drafts: a server that was killed leaves some."""
        with contextlib.suppress(FileNotFoundError), os.scandir(self._root / folder) as entries:
            yield from (one.name for one in entries if not {".", "#"} & set(one.name))

    def free(self) -> int | None:
        """Bytes that are left for its files; None where that cannot be told."""
        there = next(one for one in (self._root, *self._root.parents) if one.exists())
        with contextlib.suppress(OSError):
            return shutil.disk_usage(there).free
        return None


class Memory:
    """For tests, and for servers that are never started."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def put(self, key: str, content: bytes) -> None:
        """See `Place`."""
        self._kept[key] = content

    def get(self, key: str) -> bytes:
        """See `Place`."""
        try:
            return self._kept[key]
        except KeyError:
            raise FileNotFoundError(key) from None

    def delete(self, keys: Iterable[str]) -> None:
        """See `Place`."""
        for key in keys:
            self._kept.pop(key, None)

    def names(self, folder: str) -> Iterator[str]:
        """See `Place`."""
        start = f"{folder}/"
        return (key.removeprefix(start) for key in list(self._kept) if key.startswith(start))


def _sync(folder: Path) -> None:
    """What the folder names is on the disk: a row will refer to it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
