"""What a scan sees, and which of it a source wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from stepwell.errors import Conflict, Denied, InvalidInput, Unavailable

MOST_IMAGES: Final = 1000
"""So many images one source may have."""


class SourceInvalid(InvalidInput):
    """A source that no scan can read."""

    code = "source-invalid"


class SourceUnreachable(Unavailable):
    """A source gives no answer, or none that can be understood."""

    code = "source-unreachable"


class SourceRefused(Denied):
    """A source does not let the server in."""

    code = "source-refused"


class SourceTooLarge(Conflict):
    """A source has more images than are kept of one."""

    code = "source-too-large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An image as a scan saw it: its digest, or the error that kept it from being read."""

    image: str
    digest: str | None = None
    error: Mapping[str, Any] | None = None
    stated_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to look, and for what. `login` is user and password, resolved."""

    location: str
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    login: tuple[str, str] | None = None

    def wants(self, *names: str) -> bool:
        """Whether something of these names is included, and not excluded."""
        included = not self.include or _matches(names, self.include)
        return included and not _matches(names, self.exclude)


def _matches(names: Sequence[str], patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def bounded(count: int, location: str) -> None:
    """Raise `SourceTooLarge` when it is too much."""
    if count > MOST_IMAGES:
        raise SourceTooLarge(
            f"{location} has more than {MOST_IMAGES} images.",
            fix="Narrow what the source includes, or make several sources of it.",
        )
