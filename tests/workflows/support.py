"""Groups written to files, and what several tests do with them."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stepwell.errors import StepwellError
from stepwell.workflows.describing import BoundGroup, describe
from stepwell.workflows.errors import GroupInvalid
from stepwell.workflows.group import WorkflowGroup

HEAD = """
from __future__ import annotations
import os, sys, time, signal
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from stepwell.workflows import Context, WorkflowGroup, operation
group = WorkflowGroup("shop")
"""

GroupFile = Callable[[str], Path]


def write_group(folder: Path, source: str, name: str = "shop.py") -> Path:
    """A group file: the usual imports and `group`, then the source."""
    path = folder / name
    path.write_text(HEAD + textwrap.dedent(source))
    return path


class Hurry:
    """The host's clock: an hour ahead as soon as something has happened."""

    def __init__(self, happened: Callable[[], Any]) -> None:
        self.happened = happened

    def monotonic(self) -> float:
        return time.monotonic() + (3600.0 if self.happened() else 0.0)


def described(declare: Callable[[WorkflowGroup], Any], name: str = "shop") -> BoundGroup:
    """The group that `declare` decorates classes for."""
    group = WorkflowGroup(name)
    declare(group)
    return describe(group, "shop:group")


def problems(declare: Callable[[WorkflowGroup], Any], name: str = "shop") -> list[StepwellError]:
    """What is wrong with the group that `declare` decorates classes for."""
    try:
        described(declare, name)
    except GroupInvalid as error:
        return list(error.problems)
    return []


def codes(declare: Callable[[WorkflowGroup], Any], name: str = "shop") -> list[str]:
    """The codes of what is wrong."""
    return [one.code for one in problems(declare, name)]
