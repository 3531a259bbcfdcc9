"""`WorkflowGroup`: what an image declares, collected while its code is imported.

Nothing is checked here, so that discovery can report every mistake together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar, dataclass_transform, overload

from stepwell.workflows.decorators import as_words, seconds

T = TypeVar("T", bound=type)

DAY: Final = 24 * 60 * 60.0
"""The deadline of a run unless the workflow names another, in seconds (R3)."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """A workflow class and what `@group.workflow` was told about it. `deadline` in seconds."""

    cls: type
    schedule: Any = None
    tags: tuple[str, ...] = ()
    deadline: float = DAY
    description: str | None = None
    limit: int | None = None
    pool: str | None = None
    owner: str = ""
    targets: Any = None


class WorkflowGroup:
    """The workflows of one image.

    Parameters
    ----------
    name : letters, digits and hyphens, for example 'weather'; part of every step's name.
    description : a sentence for people.
    tags : free words, for people.
    limit : so many runs of all its workflows go on at once; None is any number.
    owner : whom to ask about it: a team, a person, an address.

    Examples
    --------
    >>> group = WorkflowGroup("weather", description="Daily weather figures.")
    >>> @group.workflow(tags=["daily"])
    ... class Collect:
    ...     limit: int = 100
    """

    def __init__(
        self,
        name: str,
        *,
        description: str = "",
        tags: Iterable[str] = (),
        limit: int | None = None,
        owner: str = "",
    ) -> None:
        self.name = name
        self.limit = limit
        self.description = description
        self.owner = owner
        self.tags = as_words(tags)
        self.declarations: list[Declaration] = []

    def __repr__(self) -> str:
        return f"WorkflowGroup({self.name!r})"

    @overload
    def workflow(self, cls: T) -> T: ...

    @overload
    def workflow(
        self,
        *,
        schedule: Any = None,
        tags: Iterable[str] = (),
        deadline: float | timedelta = DAY,
        description: str | None = None,
        limit: int | None = None,
        pool: str | None = None,
        owner: str = "",
        targets: Any = None,
    ) -> Callable[[T], T]: ...

    @dataclass_transform(kw_only_default=True)
    def workflow(
        self,
        cls: Any = None,
        *,
        schedule: Any = None,
        tags: Iterable[str] = (),
        deadline: float | timedelta = DAY,
        description: str | None = None,
        limit: int | None = None,
        pool: str | None = None,
        owner: str = "",
        targets: Any = None,
    ) -> Any:
        """Declare a class as a workflow of this group.

        Its annotated attributes are the workflow's parameters, those with a value are
        optional. A class without an `__init__` gets one that takes them by keyword,
        for tests: `Collect(limit=5).load()`.

        Parameters
        ----------
        schedule : a `stepwell.schedules` spec (Cron, Every, Once), or None: on request only.
        tags : free words, for people.
        deadline : seconds or a timedelta after which a run is stopped; a day by default.
        description : a sentence for people; by default the class's docstring.
        limit : so many of its runs go on at once; others wait in line.
        pool : the name of what it shares with other workflows, in this group and others; an
            operator says how many of their runs go on at once (`stepwell pools set`), by
            default one.
        owner : whom to ask about it, where that is not the group's.
        targets : `Targets(success=0.99, p95=1200)`: what its runs are held to, or None.
        """

        def declare(declared: T) -> T:
            made = Declaration(
                declared,
                schedule,
                as_words(tags),
                seconds(deadline) or 0.0,
                description,
                limit,
                pool,
                owner,
                targets,
            )
            self.declarations.append(made)
            return _with_init(declared)

        return declare if cls is None else declare(cls)


def _with_init(cls: T) -> T:
    if cls.__init__ is object.__init__:  # type: ignore[misc]
        cls.__init__ = _keyword_init  # type: ignore[misc]
    return cls


def _keyword_init(self: Any, **parameters: Any) -> None:
    """Set the workflow's parameters."""
    for name, value in parameters.items():
        setattr(self, name, value)
