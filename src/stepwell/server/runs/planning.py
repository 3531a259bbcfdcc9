"""What a re-execution does with each operation: take its result over, run it, or leave it out.

Pure: from the operations of the release that it will run, and the rows of the run before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel

from stepwell.codec import JSON
from stepwell.server.fitting import fits
from stepwell.step import EndedAs, Step

PARAMETER: Final = "parameter"


class Mode(StrEnum):
    """Where a re-execution begins."""

    FAILED = "failed operations"
    FROM_OPERATION = "from an operation"
    FROM_START = "from start"


class Mark(StrEnum):
    """What becomes of an operation."""

    REUSE = "reuse result"
    RUN = "run again"
    SKIP = "skipped"


class Planned(BaseModel):
    """One operation of a re-execution, and why it is treated so."""

    operation: str
    mark: Mark
    why: str


class Planner:
    """Marks the operations of a manifest entry, in order.

    Parameters
    ----------
    entry : the workflow in the release that is to run.
    last : operation -> the newest row that the run before has of it.
    before : the workflow in the release of the run before.
    """

    def __init__(
        self, entry: Mapping[str, Any], last: Mapping[str, Step], before: Mapping[str, Any]
    ) -> None:
        self.operations: Sequence[Mapping[str, Any]] = entry["operations"]
        self.last = last
        self.before: Sequence[Mapping[str, Any]] = before["operations"]

    def plan(self, mode: Mode, operation: str | None = None) -> list[Planned]:
        """The operations with their marks.

        Parameters
        ----------
        operation : where `from an operation` begins; it must be one of the entry's.
        """
        match mode:
            case Mode.FROM_START:
                return [_planned(one, Mark.RUN, "From start.") for one in self.operations]
            case Mode.FROM_OPERATION:
                assert operation is not None
                return list(self._from(operation))
            case Mode.FAILED:
                return self._failed()

    def _from(self, first: str) -> Iterator[Planned]:
        reached = False
        for one in self.operations:
            reached = reached or one["name"] == first
            if reached:
                yield _planned(one, Mark.RUN, f"From {first} on.")
            elif why := self._unusable(one):
                yield _planned(one, Mark.SKIP, f"{why} It lies before {first}.")
            else:
                yield _planned(one, Mark.REUSE, "It was done.")

    def _failed(self) -> list[Planned]:
        again: dict[str, str] = {}
        for one in self.operations:
            fed = [name for name in _sources(one) if name in again]
            if why := self._unusable(one):
                again[one["name"]] = why
            elif fed:
                again[one["name"]] = f"It takes what {' and '.join(fed)} will give anew."
        return [
            _planned(one, Mark.RUN, again[one["name"]])
            if one["name"] in again
            else _planned(one, Mark.REUSE, "It was done.")
            for one in self.operations
        ]

    def _unusable(self, operation: Mapping[str, Any]) -> str | None:
        """Why there is no result to take over."""
        row = self.last.get(operation["name"])
        if row is None:
            return "It never ran."
        if row.ended_as is not EndedAs.DONE:
            how = row.ended_as or "has not ended"
            return f"It was {how}." if row.ended_as is not EndedAs.FAILED else "It failed."
        if row.result is not None and row.result_format != JSON.format:
            return self._unlike_before(operation["name"])
        result = None if row.result is None else JSON.decode(row.result)
        for consumer, schema in _consumers(self.operations, operation["name"]):
            if not fits(schema, result):
                return f"Its result does not fit what {consumer} takes now."
        return None

    def _unlike_before(self, operation: str) -> str | None:
        """Why a result that is too large to be looked at is not taken over (R4).

        It is where whoever takes it asks for what they have asked for before.
        """
        known = dict(_consumers(self.before, operation))
        for consumer, schema in _consumers(self.operations, operation):
            if consumer not in known or known[consumer] != schema:
                return f"Its result is too large to see whether it fits what {consumer} takes now."
        return None


def _consumers(
    operations: Sequence[Mapping[str, Any]], operation: str
) -> Iterator[tuple[str, Any]]:
    for one in operations:
        for taken in (one.get("inputs") or {}).values():
            if taken["from"] == operation:
                yield one["name"], taken["schema"]


def warnings(plan: Iterable[Planned], entry: Mapping[str, Any]) -> list[str]:
    """What a person should think of before, in sentences."""
    marks = {one.operation: one.mark for one in plan}
    found = []
    for one in entry["operations"]:
        lacks = [
            source for source in _sources(one, required=True) if marks.get(source) is Mark.SKIP
        ]
        if marks[one["name"]] is Mark.RUN and lacks:
            found.append(
                f"{one['name']} will be skipped: it needs what {' and '.join(lacks)} has not given."
            )
    again = [name for name, mark in marks.items() if mark is Mark.RUN]
    if again:
        found.append(f"What {', '.join(again)} did outside of Stepwell is done again.")
    return found


def _sources(operation: Mapping[str, Any], *, required: bool = False) -> list[str]:
    taken = (operation.get("inputs") or {}).values()
    wanted = (one for one in taken if one["required"] or not required)
    return sorted({one["from"] for one in wanted} - {PARAMETER})


def _planned(operation: Mapping[str, Any], mark: Mark, why: str) -> Planned:
    return Planned(operation=operation["name"], mark=mark, why=why)
