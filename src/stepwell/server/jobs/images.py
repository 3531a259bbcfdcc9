"""Which steps run in which image: the setting `step_images`, read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stepwell.errors import SetupError


@dataclass(frozen=True, slots=True)
class StepImage:
    """What the steps of one name are executed by."""

    name: str
    image: str
    launcher: str


def read(entries: Iterable[str], launchers: tuple[str, ...]) -> dict[str, StepImage]:
    """Step name -> image, from `NAME=IMAGE` or `NAME=LAUNCHER:IMAGE` each.

    Parameters
    ----------
    launchers : those of the server; the first one is taken where none is named.

    Raises
    ------
    SetupError : an entry that cannot be read, or a launcher that is off.
    """
    made = (_read(entry, launchers) for entry in entries)
    return {one.name: one for one in made}


def _read(entry: str, launchers: tuple[str, ...]) -> StepImage:
    name, equals, image = (part.strip() for part in entry.partition("="))
    if not name or not equals or not image:
        raise SetupError(
            f"{entry!r} in STEPWELL_STEP_IMAGES says nothing.",
            why="It names a step and its image.",
            fix="Write NAME=IMAGE or NAME=LAUNCHER:IMAGE, several with commas between them.",
        )
    launcher, colon, rest = image.partition(":")
    if colon and launcher in launchers and rest:
        return StepImage(name, rest, launcher)
    if not launchers:
        raise SetupError(
            f"The step {name!r} has an image, and no launcher is on.",
            fix="Start the server with --launcher, or leave STEPWELL_STEP_IMAGES out.",
        )
    return StepImage(name, image, launchers[0])
