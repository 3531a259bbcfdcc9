"""What was found in sources: an admin's yes or no to each image."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from stepwell.errors import Conflict, NotFound
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import source_images
from stepwell.server.discoveries import service as discoveries
from stepwell.server.groups import service as groups
from stepwell.server.groups.records import NewGroup
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.services import Services
from stepwell.server.sources import queries, service
from stepwell.server.sources.records import ImageState, Registered, Registration, SourceImage


class SourceImageNotFound(NotFound):
    """No image with this id was found in a source."""

    code = "source-image-not-found"


class SourceImageTaken(Conflict):
    """The image is registered as a group already."""

    code = "source-image-taken"


def listed(
    conn: Connection, pages: Paging, *, source: str | None = None, state: ImageState | None = None
) -> Page[SourceImage]:
    """What was found, newest first."""
    query = queries.images()
    if source is not None:
        service.get(conn, source)
        query = query.where(source_images.c.source_name == source)
    if state is not None:
        query = queries.in_state(query, state)
    return paged(conn, query, pages, by=[source_images.c.id], make=_image)


def get(conn: Connection, image_id: UUID) -> SourceImage:
    """One image; raises `SourceImageNotFound`."""
    row = queries.image(conn, image_id)
    if row is None:
        raise SourceImageNotFound(
            f"No source has an image {image_id}.", fix="See `stepwell sources show NAME`."
        )
    return _image(row)


def register(
    conn: Connection, services: Services, image_id: UUID, asked: Registration, *, by: str
) -> Registered:
    """Register the image as a group and discover it: from here on its code runs (R42).

    Raises
    ------
    SourceImageTaken, LauncherOff, GroupExists
    """
    image = get(conn, image_id)
    if image.state is ImageState.REGISTERED:
        raise SourceImageTaken(
            f"{image.image} is the group {image.group!r} already.",
            fix="Discover that group again to take up a change.",
        )
    source = service.get(conn, image.source)
    given = asked.model_dump(exclude_unset=True)
    given.setdefault("reason", f"found in the source {source.name}")
    new = NewGroup(**given, launcher=source.launcher, image=image.image)
    group = groups.register(conn, services, new, by=by, stated=image.stated_name)
    begun = discoveries.request(conn, services.db, group.name, trigger="registration", by=by)
    discoveries.arrange(conn, services.db, group)
    return Registered(group=group.name, discovery_id=begun.id)


def dismiss(
    conn: Connection, services: Services, image_id: UUID, reason: str | None, *, by: str
) -> SourceImage:
    """An admin's no: the image is not offered any more. It may still be registered later."""
    image = get(conn, image_id)
    values = {"dismissed_at": services.clock.now(), "dismissed_by": by, "reason": reason}
    queries.change_image(conn, image_id, **values)
    details = {"image": image.image}
    told = audit.sides({"dismissed_by": image.dismissed_by}, values, "dismissed_by")
    audit.record(conn, by, "source.dismiss", image.source, reason, details, **told)
    return get(conn, image_id)


def _image(row: queries.Row) -> SourceImage:
    return SourceImage(**row, source=row["source_name"], group=row["group_name"])
