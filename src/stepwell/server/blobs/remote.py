"""Blobs in object storage, by obstore: S3, Google Cloud Storage, Azure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

_RETRY: Final[Any] = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
"""Somebody waits for the answer; whoever does not get it tries again."""


class Remote:
    """At an address; raises `ValueError` where it names no store, or lacks a setting."""

    def __init__(self, url: str) -> None:
        try:
            self._store: Any = from_url(url, retry_config=_RETRY)
        except BaseError as error:
            raise ValueError(str(error)) from error

    def put(self, key: str, content: bytes) -> None:
        """See `Place`."""
        with _as_os_errors(), _of_the_bucket():
            obstore.put(self._store, key, content)

    def get(self, key: str) -> bytes:
        """See `Place`."""
        with _as_os_errors():
            return bytes(obstore.get(self._store, key).bytes())

    def delete(self, keys: Iterable[str]) -> None:
        """See `Place`."""
        wanted = list(keys)
        try:
            self._delete(wanted)
        except FileNotFoundError:  # some stores end at the first that is missing
            for one in wanted:
                with suppress(FileNotFoundError):
                    self._delete([one])

    def _delete(self, keys: list[str]) -> None:
        with _as_os_errors():
            obstore.delete(self._store, keys)

    def names(self, folder: str) -> Iterator[str]:
        """See `Place`."""
        with _as_os_errors(), _of_the_bucket():
            for batch in obstore.list(self._store, prefix=folder):
                for one in batch:
                    yield one["path"].rpartition("/")[2]


@contextmanager
def _of_the_bucket() -> Iterator[None]:
    """What is missing where no key is asked for is the bucket: somebody has to make it."""
    try:
        yield
    except FileNotFoundError as error:
        raise OSError(str(error)) from error


@contextmanager
def _as_os_errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except BaseError as error:
        raise OSError(str(error)) from error
