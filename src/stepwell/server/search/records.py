"""What a search of runs answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeAlias

from fastapi import Query
from pydantic import BaseModel

from stepwell.server.paging import Page
from stepwell.server.runs.records import Run, RunState
from stepwell.server.search import language

LONGEST: Final = language.LONGEST
"""Characters of a query."""

Q: TypeAlias = Annotated[
    str,
    Query(
        max_length=LONGEST,
        description="A query of runs; docs/reference/api.md has the language.",
        examples=["state:failed workflow:nightly since:2h"],
    ),
]


class Hint(BaseModel):
    """Why nothing was found: without `clause` there are `count` runs, or more."""

    clause: str
    column: int
    count: int
    more: bool
    sentence: str


class FoundRuns(Page[Run]):
    """A page of runs.

    `searched_to` is set where only so many runs could be looked at for this page: all that
    were created later were, and `next` goes on from there. `hint` is set where nothing was
    found.
    """

    searched_to: datetime | None = None
    hint: Hint | None = None


class Counted(BaseModel):
    """How many runs match; `more` says that there may be more, `shown` is for people."""

    count: int
    more: bool
    shown: str
    as_of: datetime


class Bucket(BaseModel):
    """The runs that were created within `seconds` from `at` on, by state."""

    at: datetime
    counts: dict[RunState, int]


class Histogram(BaseModel):
    """When the runs that match were created, from `since` to `until`; empty buckets are left out.

    `looked_at` is the number of runs counted; `more` says that these are the newest of more.
    """

    since: datetime
    until: datetime
    seconds: float
    buckets: list[Bucket]
    looked_at: int
    more: bool
    as_of: datetime


class Completion(BaseModel):
    """What could be written from `column` on (which counts from 1), and what it means."""

    text: str
    meaning: str
    column: int


class Completions(BaseModel):
    """Up to 20, best first."""

    items: list[Completion]
