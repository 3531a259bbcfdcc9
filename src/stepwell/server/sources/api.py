"""Routes of the room: /sources and /source-images."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Page, Pages, Reason, Router, reads, writes
from stepwell.server.sources import images, service
from stepwell.server.sources.records import (
    ImageState,
    NewSource,
    Registered,
    Registration,
    Source,
    SourceChange,
    SourceImage,
    Tested,
)

router = Router(tags=["sources"])

Reading = Annotated[Call, reads(Role.VIEWER)]
Trying = Annotated[Call, reads(Role.ADMIN)]
Administering = Annotated[Call, writes(Role.ADMIN)]


@router.get("/sources")
def list_sources(call: Reading, pages: Pages) -> Page[Source]:
    """All sources by name."""
    return service.listed(call.conn, pages)


@router.post("/sources", status_code=201)
def add_source(call: Administering, body: NewSource) -> Source:
    """Add a registry or a folder, and scan it. Nothing that is found there runs."""
    return service.add(call.conn, call.services, body, by=call.user.name)


@router.get("/sources/{name}")
def show_source(call: Reading, name: str) -> Source:
    """One source."""
    return service.get(call.conn, name)


@router.patch("/sources/{name}")
def change_source(call: Administering, name: str, body: SourceChange) -> Source:
    """Change where it looks, for what, how often, or with which credentials."""
    return service.change(call.conn, call.services, name, body, by=call.user.name)


@router.post("/sources/{name}/removals", status_code=204)
def remove_source(call: Administering, name: str, body: Reason) -> None:
    """Forget it and what was found there; groups that were registered stay."""
    service.remove(call.conn, call.services, name, body.reason, by=call.user.name)


@router.post("/sources/{name}/scans", status_code=201)
def scan_source(call: Annotated[Call, writes(Role.OPERATOR)], name: str) -> Source:
    """Scan it now; `scanning` is true until that is done."""
    return service.request_scan(call.conn, call.services, name, by=call.user.name)


@router.post("/sources/{name}/tests")
def try_source(call: Trying, name: str) -> Tested:
    """Look at it as a scan does, and keep nothing."""
    source = service.get(call.conn, name).model_dump()
    return service.tested(source["kind"], lambda: service.place_of(source))


@router.post("/source-tests")
def try_new_source(call: Trying, body: NewSource) -> Tested:
    """Look at a source that is not added yet, and keep nothing."""
    return service.tested(body.kind, lambda: service.place_of(body.model_dump()))


@router.get("/source-images")
def list_source_images(
    call: Reading, pages: Pages, source: str | None = None, state: ImageState | None = None
) -> Page[SourceImage]:
    """What was found in sources, newest first; for example what waits for an admin's yes."""
    return images.listed(call.conn, pages, source=source, state=state)


@router.get("/source-images/{image_id}")
def show_source_image(call: Reading, image_id: UUID) -> SourceImage:
    """One image that was found."""
    return images.get(call.conn, image_id)


@router.post("/source-images/{image_id}/registrations", status_code=201)
def register_source_image(call: Administering, image_id: UUID, body: Registration) -> Registered:
    """Register the image as a group, and discover it. From here on its code runs."""
    return images.register(call.conn, call.services, image_id, body, by=call.user.name)


@router.post("/source-images/{image_id}/dismissals", status_code=201)
def dismiss_source_image(call: Administering, image_id: UUID, body: Reason) -> SourceImage:
    """Do not offer the image any more."""
    return images.dismiss(call.conn, call.services, image_id, body.reason, by=call.user.name)
