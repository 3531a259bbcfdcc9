"""Which files and packages under a path declare a workflow group, where there must be some."""

from __future__ import annotations

import itertools
from pathlib import Path

from stepwell.errors import InvalidInput
from stepwell.launchers.finder import CLASS, Found, scan

__all__ = ["Found", "GroupTwice", "NoGroups", "find", "scan"]


class NoGroups(InvalidInput):
    """Nothing under the path declares a workflow group."""

    code = "no-groups"


class GroupTwice(InvalidInput):
    """Two files under the path declare a group of the same name."""

    code = "group-twice"


def find(root: Path) -> list[Found]:
    """The groups declared in `root` (a file, a package, or a folder of them), by name.

    Raises
    ------
    NoGroups : there are none, or there is no such path.
    GroupTwice : one name is declared in two places.
    """
    found = scan(root)
    if not found:
        raise NoGroups(
            f"No workflow group is declared in '{root}'.",
            why=f"No Python file there calls {CLASS}(...)." if root.exists() else "No such path.",
            fix="Give the path of a Python file, of a package, or of a folder with some.",
        )
    for one, other in itertools.pairwise(found):
        if one.name == other.name:
            raise GroupTwice(
                f"The group {one.name!r} is declared twice.",
                why=f"In {one.path} and in {other.path}.",
                fix="Give one of them another name, or point at one of them only.",
            )
    return found
