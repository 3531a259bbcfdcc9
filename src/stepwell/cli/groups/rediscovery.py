"""`stepwell groups rediscover`: when a group is discovered again by itself."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stepwell.cli.groups.commands import FIELDS, Name, app, known
from stepwell.cli.options import Reason
from stepwell.cli.schedules.timing import CronText, Seconds, Timezone, Timing
from stepwell.cli.session import Session, command
from stepwell.errors import InvalidInput


@command(app, "rediscover")
def rediscover(
    session: Session,
    name: Name,
    cron: CronText = None,
    every: Seconds = None,
    timezone: Timezone = None,
    watch: Annotated[
        float | None,
        typer.Option(
            "--watch",
            metavar="SECONDS",
            help="Look at the digest of the image so often, and discover where it has changed.",
        ),
    ] = None,
    never: Annotated[
        bool, typer.Option("--never", help="End both: discover only when somebody asks.")
    ] = False,
    reason: Reason = None,
) -> None:
    """Discover a group again by a schedule, or when the digest of its image changes."""
    known(session, name)
    body: dict[str, Any] = {"rediscover": None, "watch_every": None} if never else {}
    if cron is not None or every is not None:
        body["rediscover"] = Timing(cron=cron, every=every, timezone=timezone).spec()
    if watch is not None:
        body["watch_every"] = watch
    if not body:
        raise InvalidInput(
            "Nothing is to be changed.", fix="Give --cron, --every, --watch or --never."
        )
    session.out.record(session.api.patch(f"/groups/{name}", body | {"reason": reason}), FIELDS)
