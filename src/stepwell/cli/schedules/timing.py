"""Options that say when something is due, and the schedule that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

import typer

from stepwell.errors import InvalidInput
from stepwell.schedules import Misfire, Overlap

CronText: TypeAlias = Annotated[
    str | None,
    typer.Option("--cron", metavar="EXPRESSION", help="For example '30 7 * * MON-FRI'."),
]
Seconds: TypeAlias = Annotated[
    int | None, typer.Option("--every", metavar="SECONDS", help="An interval.")
]
At: TypeAlias = Annotated[
    str | None,
    typer.Option("--once", metavar="INSTANT", help="For example 2026-12-24T17:00:00+01:00."),
]
Timezone: TypeAlias = Annotated[
    str | None, typer.Option("--timezone", help="An IANA name, for --cron; UTC if nothing is said.")
]
OnOverlap: TypeAlias = Annotated[
    Overlap | None, typer.Option("--overlap", help="While an earlier run is active.")
]
OnMisfire: TypeAlias = Annotated[
    Misfire | None, typer.Option("--misfire", help="Of instants that nobody acted on in time.")
]
Start: TypeAlias = Annotated[
    str | None,
    typer.Option("--start", metavar="INSTANT", help="Nothing is due before it; 'none' ends that."),
]
End: TypeAlias = Annotated[
    str | None,
    typer.Option("--end", metavar="INSTANT", help="Nothing is due from it on; 'none' ends that."),
]

Jitter: TypeAlias = Annotated[
    int | None,
    typer.Option("--jitter", min=0, metavar="SECONDS", help="Begin up to so much later."),
]
Exclude: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="CALENDAR",
        help="Not on days of it: holidays:NO, holidays:US-CA, or one of your own; repeatable. "
        "'none' ends that.",
    ),
]

_SHARED: Final = ("overlap", "misfire", "start", "end", "jitter", "exclude")


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The options as they were given; None where they were not."""

    cron: str | None = None
    every: int | None = None
    once: str | None = None
    timezone: str | None = None
    overlap: Overlap | None = None
    misfire: Misfire | None = None
    start: str | None = None
    end: str | None = None
    jitter: int | None = None
    exclude: list[str] | None = None

    def spec(self) -> dict[str, Any]:
        """The schedule as the API takes it.

        Raises
        ------
        InvalidInput : not exactly one of --cron, --every and --once.
        """
        if not self._trigger():
            raise _not_one("None is given.")
        return self.changed({})

    def changed(self, old: Mapping[str, Any]) -> dict[str, Any]:
        """`old` with what was given; of another kind it keeps overlap, misfire, start and end.

        Raises
        ------
        InvalidInput : several triggers, or a time zone for what has none.
        """
        trigger = self._trigger()
        kept = dict(old)
        if trigger and trigger["kind"] != old.get("kind"):
            kept = {name: old[name] for name in _SHARED if name in old}
        made = kept | trigger | self._options()
        if self.timezone is not None and made["kind"] != "cron":
            raise InvalidInput(
                "Only a cron schedule has a time zone.",
                fix="Leave --timezone out, or give --cron; instants carry their own offset.",
            )
        return {name: value for name, value in made.items() if value != "none"}

    def _trigger(self) -> dict[str, Any]:
        given = [
            {"kind": kind, name: value}
            for kind, name, value in (
                ("cron", "expression", self.cron),
                ("interval", "seconds", self.every),
                ("once", "at", self.once),
            )
            if value is not None
        ]
        if len(given) > 1:
            raise _not_one("Several are given.")
        return given[0] if given else {}

    def _options(self) -> dict[str, Any]:
        words = {name: getattr(self, name) for name in ("timezone", *_SHARED[:4])}
        named: dict[str, Any] = {
            name: str(value) for name, value in words.items() if value is not None
        }
        if self.jitter is not None:
            named["jitter"] = self.jitter or "none"
        if self.exclude:
            named["exclude"] = "none" if self.exclude == ["none"] else self.exclude
        return named


def _not_one(why: str) -> InvalidInput:
    return InvalidInput(
        "A schedule has one trigger.",
        why=why,
        fix="Give one of --cron EXPRESSION, --every SECONDS and --once INSTANT.",
    )
