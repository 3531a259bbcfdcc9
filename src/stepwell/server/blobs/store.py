"""The seam to object storage: put, get, delete, list; disk by default, S3, GCS or Azure by URL."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, from_url

from stepwell.errors import NotFound, SetupError, Unavailable

_HOUR: Final = "%Y%m%d%H"
_RETRY: Final[Any] = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
"""Somebody waits for the answer; whoever does not get it tries again."""


class BlobStoreUnavailable(Unavailable):
    """The blob store does not answer, or refuses its credentials."""

    code = "blob-store-unavailable"


class BlobMissing(NotFound):
    """The blob store has no such blob any more."""

    code = "blob-missing"


class BlobStoreInvalid(SetupError):
    """The setting `blob_url` names no blob store that can be used."""

    code = "setup-blob-store"


class BlobStore:
    """Bytes by id. An id is a UUID version 7, and its hour is the folder that the blob lies in,
    so that the sweep reads each hour once.

    Parameters
    ----------
    objects : a store of obstore.
    root : its folder, where it is on disk: then what was put survives a power cut.
    """

    def __init__(self, objects: Any, root: Path | None = None) -> None:
        self._objects, self._root = objects, root

    @classmethod
    def in_memory(cls) -> Self:
        """For tests, and for servers that are never started."""
        return cls(MemoryStore())

    @classmethod
    def on_disk(cls, folder: Path) -> Self:
        """Below a folder, which is made with the first blob."""
        return cls(None, folder.absolute())

    @classmethod
    def at(cls, url: str) -> Self:
        """At `s3://bucket/prefix`, `gs://...`, `az://...`, `file:///...` or `memory:///`.

        Credentials come from the environment, as the cloud's own tools read them.

        Raises
        ------
        BlobStoreInvalid : no such kind of store, or a setting of it that is missing.
        """
        if url.startswith("file://"):
            return cls.on_disk(Path(url.removeprefix("file://")))
        try:
            return cls(MemoryStore() if url == "memory:///" else from_url(url, retry_config=_RETRY))
        except (BaseError, ValueError) as error:
            raise BlobStoreInvalid(
                f"{url!r} is no blob store that can be used.",
                why=_said(error),
                fix="Write s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or "
                "file:///folder, and give the credentials in the environment.",
            ) from error

    def put(self, blob_id: UUID, content: bytes) -> None:
        """Keep bytes under an id; the same id again replaces them.

        Raises
        ------
        BlobStoreUnavailable : nothing is kept.
        """
        with _translated():
            obstore.put(self._opened, _key(blob_id), content)
            if self._root is not None:
                _sync(self._root / _key(blob_id))

    def get(self, blob_id: UUID) -> bytes:
        """The bytes; raises `BlobMissing`, `BlobStoreUnavailable`."""
        try:
            with _translated():
                return bytes(obstore.get(self._opened, _key(blob_id)).bytes())
        except FileNotFoundError as error:
            raise BlobMissing(
                f"The blob {blob_id} is not in the blob store.",
                why="Something else than Stepwell has removed it, or `blob_url` was changed.",
                fix="Restore the blob store, or point `blob_url` at it again.",
            ) from error

    def delete(self, blob_ids: Sequence[UUID]) -> None:
        """Remove blobs; those that are not there are no mistake."""
        if not blob_ids:
            return
        try:
            self._delete([_key(one) for one in blob_ids])
        except FileNotFoundError:  # some stores end at the first that is missing
            for one in blob_ids:
                with suppress(FileNotFoundError):
                    self._delete([_key(one)])

    def _delete(self, keys: list[str]) -> None:
        with _translated():
            obstore.delete(self._opened, keys)

    def of_hour(self, hour: datetime) -> Iterator[UUID]:
        """The ids that were made in the hour that begins then (UTC)."""
        with _translated():
            for batch in obstore.list(self._opened, prefix=hour.strftime(_HOUR)):
                for one in batch:
                    yield UUID(one["path"].rpartition("/")[2])

    @property
    def _opened(self) -> Any:
        if self._objects is None:
            assert self._root is not None
            self._objects = LocalStore(self._root, mkdir=True)
        return self._objects


def hour_of(blob_id: UUID) -> datetime:
    """The hour in which an id was made, by itself (RFC 9562)."""
    made = datetime.fromtimestamp((blob_id.int >> 80) / 1000, UTC)
    return made.replace(minute=0, second=0, microsecond=0)


def _key(blob_id: UUID) -> str:
    return f"{hour_of(blob_id).strftime(_HOUR)}/{blob_id}"


def _sync(path: Path) -> None:
    """The file, and the folder that names it, are on the disk: a row will refer to them."""
    for one in (path, path.parent):
        handle = os.open(one, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise BlobStoreUnavailable(
            "The blob store does not answer.",
            why=_said(error),
            fix="Try again; if it lasts, see its address, its credentials and its disk.",
        ) from error


def _said(error: Exception) -> str:
    """The first line: what follows may repeat a request with its credentials."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
