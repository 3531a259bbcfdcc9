"""Groups in a folder of the server: read from their source text, nothing is imported or run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from stepwell.errors import StepwellError
from stepwell.launchers.finder import SKIPPED, Found, scan
from stepwell.launchers.images import PROGRAM, digest_of_source
from stepwell.server.sources.seen import Place, Seen, SourceInvalid, SourceUnreachable, bounded


def check(location: str) -> str:
    """The folder as it is kept; raises `SourceInvalid` unless it is a path from the root."""
    if not Path(location).is_absolute() or "\0" in location:
        raise SourceInvalid(
            f"{location!r} is no folder of the server.",
            why="Its path does not begin at the root.",
            fix="Give the whole path, as the server sees it.",
        )
    return location


def look(place: Place) -> list[Seen]:
    """The images in the folder that the source wants, by path.

    Raises
    ------
    SourceUnreachable, SourceTooLarge
    """
    root = Path(place.location)
    try:
        next(root.iterdir(), None)  # says at once that it is missing or may not be read
        found = sorted({*scan(root), *_programs(root)})
    except (OSError, ValueError) as error:
        raise SourceUnreachable(
            f"The folder {root} cannot be read.",
            why=f"{error}.",
            fix="See that it is there, and that the server's user may read it.",
        ) from error
    wanted = [one for one in found if place.wants(_below(one.path, root))]
    bounded(len(wanted), place.location)
    return [_seen(one) for one in wanted]


def _programs(root: Path) -> Iterator[Found]:
    """Folders with a program that is a group; its name is known when it was discovered."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED and name[0] not in "._"]
        if PROGRAM in names and os.access(Path(folder) / PROGRAM, os.X_OK):
            yield Found("", Path(folder))


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _seen(found: Found) -> Seen:
    image, name = str(found.path), found.name[:100] or None
    try:
        return Seen(image=image, stated_name=name, digest=digest_of_source(found.path))
    except StepwellError as error:
        return Seen(image=image, stated_name=name, error=error.as_dict())
    except OSError as error:
        fault = SourceUnreachable(f"{found.path} cannot be read.", why=f"{error}.")
        return Seen(image=image, stated_name=name, error=fault.as_dict())
