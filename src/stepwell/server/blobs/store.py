"""The seam to object storage: put, get, delete, list; disk by default, S3, GCS or Azure by URL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self
from uuid import UUID

from stepwell import clock
from stepwell.errors import NotFound, SetupError, Unavailable
from stepwell.server.blobs.places import Disk, Memory, Place

_HOUR: Final = "%Y%m%d%H"


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
    place : what keeps the bytes.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._answered: datetime | None = None
        self._failed: tuple[datetime, str] | None = None

    @classmethod
    def in_memory(cls) -> Self:
        """For tests, and for servers that are never started."""
        return cls(Memory())

    @classmethod
    def on_disk(cls, folder: Path) -> Self:
        """Below a folder, which is made with the first blob."""
        return cls(Disk(folder.absolute()))

    @classmethod
    def at(cls, url: str) -> Self:
        """At `s3://bucket/prefix`, `gs://...`, `az://...`, `file:///...` or `memory:///`.

        Credentials come from the environment, as the cloud's own tools read them.

        Raises
        ------
        BlobStoreInvalid : no such kind of store, a setting of it that is missing, or the
            package that speaks to it.
        """
        if url.startswith("file://"):
            return cls.on_disk(Path(url.removeprefix("file://")))
        return cls(Memory() if url == "memory:///" else _remote(url))

    def put(self, blob_id: UUID, content: bytes) -> None:
        """Keep bytes under an id; the same id again replaces them.

        Raises
        ------
        BlobStoreUnavailable : nothing is kept.
        """
        with self._asked():
            self._place.put(_key(blob_id), content)

    def get(self, blob_id: UUID) -> bytes:
        """The bytes; raises `BlobMissing`, `BlobStoreUnavailable`."""
        try:
            with self._asked():
                return self._place.get(_key(blob_id))
        except FileNotFoundError as error:
            raise BlobMissing(
                f"The blob {blob_id} is not in the blob store.",
                why="Something else than Stepwell has removed it, or `blob_url` was changed.",
                fix="Restore the blob store, or point `blob_url` at it again.",
            ) from error

    def delete(self, blob_ids: Sequence[UUID]) -> None:
        """Remove blobs; those that are not there are no mistake."""
        if blob_ids:
            with self._asked():
                self._place.delete([_key(one) for one in blob_ids])

    @property
    def answered(self) -> datetime | None:
        """When it last answered; None if it was not asked since this process began."""
        return self._answered

    @property
    def failure(self) -> tuple[datetime, str] | None:
        """When it last did not answer, and why; None if it has answered since."""
        return self._failed

    @property
    def free(self) -> int | None:
        """Bytes that are left on the disk of a folder; None of any other place."""
        return self._place.free() if isinstance(self._place, Disk) else None

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Remembers how it went; that nothing is there is an answer too."""
        try:
            yield
        except FileNotFoundError:
            self._answered, self._failed = clock.now(), None
            raise
        except OSError as error:
            self._failed = (clock.now(), _said(error))
            raise BlobStoreUnavailable(
                "The blob store does not answer.",
                why=_said(error),
                fix="Try again; if it lasts, see its address, its credentials and its disk.",
            ) from error
        self._answered, self._failed = clock.now(), None

    def of_hour(self, hour: datetime) -> Iterator[UUID]:
        """The ids that were made in the hour that begins then (UTC)."""
        with self._asked():
            yield from map(UUID, self._place.names(hour.strftime(_HOUR)))


def _remote(url: str) -> Place:
    if find_spec("obstore") is None:
        raise BlobStoreInvalid(
            f"{url!r} cannot be used: obstore is not installed here.",
            fix="Run: pip install 'stepwell[blobs]', or keep blobs on disk: file:///folder.",
        )
    # 15 MiB, which a server that keeps its blobs on disk does without.
    from stepwell.server.blobs.remote import Remote  # noqa: PLC0415

    try:
        return Remote(url)
    except ValueError as error:
        raise BlobStoreInvalid(
            f"{url!r} is no blob store that can be used.",
            why=_said(error),
            fix="Write s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or "
            "file:///folder, and give the credentials in the environment.",
        ) from error


def hour_of(blob_id: UUID) -> datetime:
    """The hour in which an id was made, by itself (RFC 9562)."""
    made = datetime.fromtimestamp((blob_id.int >> 80) / 1000, UTC)
    return made.replace(minute=0, second=0, microsecond=0)


def _key(blob_id: UUID) -> str:
    return f"{hour_of(blob_id).strftime(_HOUR)}/{blob_id}"


def _said(error: Exception) -> str:
    """The first line: what follows may repeat a request with its credentials."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
