"""The checklist, and where the demo stands."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel


class Task(StrEnum):
    """What is to be done on a new server, in this order."""

    ENGINE = "engine"
    FIND = "find"
    REVIEW = "review"
    RUN = "run"
    SCHEDULE = "schedule"
    OWN = "own"


class Demo(StrEnum):
    """Whether the demo group is there; `removing` is until its last run has ended."""

    ABSENT = "absent"
    LOADED = "loaded"
    REMOVING = "removing"


class Item(BaseModel):
    """A line of the checklist.

    `seen` is a sentence on what is there; `fix` what to do where something is wrong, else
    null. `command` does it on the command line, `href` is the screen for it. `facts` has
    what the sentence is made of.
    """

    task: Task
    done: bool
    seen: str
    fix: str | None = None
    command: str
    href: str
    facts: dict[str, Any] = {}


class FirstRun(BaseModel):
    """How far a new server has come. `done` says that every item is."""

    done: bool
    items: list[Item]
    demo: Demo
    demo_group: str
