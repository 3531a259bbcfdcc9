"""A saved view, and the four that are always there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from stepwell.server.search.records import LONGEST

RUNS: Final = "runs"
MOST: Final = 500
"""So many views a user sees of a screen."""

Screen: TypeAlias = Annotated[str, Field(pattern=r"^[a-z]{1,20}$")]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^\S(.*\S)?$")]
Columns: TypeAlias = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=60)]], Field(max_length=30)
]


class View(BaseModel):
    """A view. One that is built in has no id and no owner; `default` says that it is yours."""

    id: UUID | None
    builtin: str | None
    screen: str
    name: str
    owner: str | None
    shared: bool
    query: str
    columns: list[str]
    default: bool
    changed_at: datetime | None


class NewView(BaseModel):
    """Save a view. A query of the screen `runs` must be one that can be read."""

    model_config = ConfigDict(extra="forbid")

    screen: Screen = RUNS
    name: Name
    query: str = Field(max_length=LONGEST)
    columns: Columns = []
    shared: bool = False


class ViewChange(BaseModel):
    """What is changed of a view; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    query: str | None = Field(default=None, max_length=LONGEST)
    columns: Columns | None = None
    shared: bool | None = None


class NewDefault(BaseModel):
    """Which view comes first on a screen: a saved one, or one that is built in; or neither."""

    model_config = ConfigDict(extra="forbid")

    screen: Screen = RUNS
    view_id: UUID | None = None
    builtin: str | None = Field(default=None, max_length=20)


BUILT_IN: Final = {
    "failing": ("Failing", "state:failed"),
    "running-long": ("Running long", "state:running took>30m"),
    "waiting": ("Waiting", "state:waiting,starting"),
    "mine": ("Mine", "by:me"),
}
"""key -> name and query, of the screen `runs`."""
