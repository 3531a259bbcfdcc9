"""Register, change, test and remove sources, and ask for their scan."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from stepwell.errors import Conflict, NotFound, StepwellError
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import sources
from stepwell.server.groups import service as groups
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.services import QUEUE, Services
from stepwell.server.sources import folder, queries, registry
from stepwell.server.sources.records import NewSource, Source, SourceChange, Tested
from stepwell.server.sources.seen import Place, Seen, SourceInvalid
from stepwell.step import NewStep, OnConflict, StepQuery, StepStatus, new_step

SCAN: Final = "v1/server/scan"
SHOWN: Final = 20
"""So many images the answer to a test names."""

LOOKS: Final[Mapping[str, Callable[[Place], list[Seen]]]] = {
    "folder": folder.look,
    "registry": registry.look,
}
CHECKS: Final[Mapping[str, Callable[[str], str]]] = {
    "folder": folder.check,
    "registry": registry.check,
}
LAUNCHERS: Final = {"folder": "process", "registry": "container"}
"""What starts the images of a source that says nothing of it."""


class SourceNotFound(NotFound):
    """No source has this name."""

    code = "source-not-found"


class SourceExists(Conflict):
    """A source of that name is there already."""

    code = "source-exists"


def add(conn: Connection, services: Services, new: NewSource, *, by: str) -> Source:
    """Add a source; it is scanned at once. Nothing of what is found runs for that.

    Raises
    ------
    SourceExists, SourceInvalid
    """
    if queries.lock(conn, new.name) is not None:
        raise SourceExists(
            f"The source {new.name!r} is there already.", fix="Change it, or give another name."
        )
    values = new.model_dump(exclude={"reason"})
    values["location"] = CHECKS[new.kind](new.location)
    values["credentials"] = _credentials(new.kind, values["credentials"])
    values["launcher"] = new.launcher or LAUNCHERS[new.kind]
    now = services.clock.now()
    queries.add(conn, **values, created_at=now, created_by=by)
    audit.record(conn, by, "source.add", new.name, new.reason, after=values)
    return request_scan(conn, services, new.name, by=by, told=False)


def change(
    conn: Connection, services: Services, name: str, asked: SourceChange, *, by: str
) -> Source:
    """Change what a source says; the next scan sees it."""
    row = _locked(conn, name)
    given = asked.model_dump(exclude={"reason"}, exclude_unset=True)
    values = {key: one for key, one in given.items() if one is not None or key in _MAY_END}
    if "location" in values:
        values["location"] = CHECKS[row["kind"]](values["location"])
    if "credentials" in values:
        values["credentials"] = _credentials(row["kind"], values["credentials"])
    if values:
        queries.change(conn, name, **values)
        told = audit.sides(row, values, *values)
        audit.record(conn, by, "source.change", name, asked.reason, **told)
    if "scan_every" in values:
        _arrange(conn, services, name, values["scan_every"])
    return get(conn, name)


def remove(conn: Connection, services: Services, name: str, reason: str | None, *, by: str) -> None:
    """Forget a source and what was found there; groups that were registered stay."""
    row = _locked(conn, name)
    _arrange(conn, services, name, None)
    queries.remove(conn, name)
    told = audit.sides(row, None, *NewSource.model_fields.keys() - {"name", "reason"})
    audit.record(conn, by, "source.remove", name, reason, **told)


def request_scan(
    conn: Connection, services: Services, name: str, *, by: str, told: bool = True
) -> Source:
    """Have the source scanned now; `scanning` is true until that is done."""
    _locked(conn, name)
    now = services.clock.now()
    queries.change(conn, name, requested_at=now)
    tx = services.db.steps(conn)
    waiting = tx.search(StepQuery(name=SCAN, unique_key=name, status=StepStatus.READY))
    if waiting:
        tx.activate(waiting[0].id, None, None)
    else:
        services.db.client(conn).add(scan_step(name, now))
    if told:
        audit.record(conn, by, "source.scan", name)
    return get(conn, name)


def scan_step(name: str, at: datetime) -> NewStep:
    """The step that scans a source; there is at most one."""
    return new_step(
        SCAN,
        {"source": name},
        queue=QUEUE,
        unique_key=name,
        search_key=name,
        description=f"Scan the source {name}",
        schedule_time=at,
        on_conflict=OnConflict.IGNORE,
    )


def get(conn: Connection, name: str) -> Source:
    """The source; raises `SourceNotFound`."""
    row = queries.get(conn, name)
    if row is None:
        raise _not_found(name)
    return _source(row)


def listed(conn: Connection, pages: Paging) -> Page[Source]:
    """All sources by name."""
    by = [sources.c.name]
    return paged(conn, queries.listed(), pages, by=by, make=_source, newest_first=False)


def tested(kind: str, place: Callable[[], Place]) -> Tested:
    """Look as a scan does, and keep nothing. What is wrong is a value, not an exception."""
    began = time.monotonic()
    try:
        seen = LOOKS[kind](place())
    except StepwellError as error:
        return Tested(ok=False, error=error.as_dict(), seconds=_since(began))
    names = [one.image for one in seen[:SHOWN]]
    return Tested(ok=True, images=names, count=len(seen), seconds=_since(began))


def place_of(row: Mapping[str, Any]) -> Place:
    """Where to look, with the secrets that the source refers to.

    Raises
    ------
    SecretMissing : the server has no variable of that name.
    """
    given = row["credentials"]
    login = given and tuple(groups.secret(name, given[name]) for name in ("username", "password"))
    return Place(
        location=CHECKS[row["kind"]](row["location"]),
        include=row["include"],
        exclude=row["exclude"],
        login=login or None,
    )


def is_scanning(row: queries.Row) -> bool:
    """Whether a scan was asked for and has not been done since."""
    requested, scanned = row["requested_at"], row["scanned_at"]
    return requested is not None and (scanned is None or scanned < requested)


def _arrange(conn: Connection, services: Services, name: str, every: float | None) -> None:
    """Move the source's step to where the interval has it, or end it."""
    client, tx = services.db.client(conn), services.db.steps(conn)
    for step in tx.search(StepQuery(name=SCAN, unique_key=name, status=StepStatus.READY)):
        client.cancel(step.id, "The source is scanned at other times now.")
    if every is not None:
        client.add(scan_step(name, services.clock.now() + timedelta(seconds=every)))


def _credentials(kind: str, given: dict[str, str] | None) -> dict[str, str]:
    if given and kind == "folder":
        raise SourceInvalid("A folder needs no credentials.", fix="Leave them out.")
    return given or {}


def _locked(conn: Connection, name: str) -> queries.Row:
    row = queries.lock(conn, name)
    if row is None:
        raise _not_found(name)
    return row


def _source(row: queries.Row) -> Source:
    shown = {**row, "credentials": row["credentials"] or None}
    return Source(**shown, scanning=is_scanning(row))


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)


def _not_found(name: str) -> SourceNotFound:
    return SourceNotFound(f"There is no source {name!r}.", fix="See `stepwell sources list`.")


_MAY_END: Final = ("credentials", "scan_every")
