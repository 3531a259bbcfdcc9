"""What servers of one process have compiled to SQL, each statement once and not once per server."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy.util import LRUCache


class Compiled(LRUCache[Any, Any]):
    """Kept by the kind of a dialect, where SQLAlchemy asks by the one of an engine: all of a kind
    compile to the same, for they speak to servers of one version."""

    def get(self, key: Any, default: Any = None) -> Any:
        """What was compiled for any engine of this kind."""
        return super().get(_of_kind(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_of_kind(key), value)


def _of_kind(key: Any) -> Any:
    return (type(key[0]), *cast("tuple[Any, ...]", key[1:]))
