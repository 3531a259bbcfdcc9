"""The composition root: settings -> database, launchers, engine, routes."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self

from fastapi import APIRouter, FastAPI
from starlette.requests import Request

from stepwell.clock import SYSTEM, Clock
from stepwell.engine import Engine
from stepwell.errors import SetupError
from stepwell.launchers.protocol import Launcher
from stepwell.server import background, probes, problems
from stepwell.server.access import api as access
from stepwell.server.access import service as tokens
from stepwell.server.access import sessions_api as logins
from stepwell.server.access import users_api as users
from stepwell.server.access.states import Provider
from stepwell.server.admission import Admission
from stepwell.server.allocation import share_arenas
from stepwell.server.audit import api as audit
from stepwell.server.blobs.store import BlobStore
from stepwell.server.browser import secure
from stepwell.server.bulk import api as bulk
from stepwell.server.causes import api as causes
from stepwell.server.database.session import Database
from stepwell.server.described import PREFIX, TAGS, App
from stepwell.server.discoveries import api as discoveries
from stepwell.server.events import api as events
from stepwell.server.events.hub import Hub
from stepwell.server.first_run import api as first_run
from stepwell.server.groups import api as groups
from stepwell.server.headers import SecurityHeaders
from stepwell.server.hosts import KnownHosts
from stepwell.server.http import CurrentUser
from stepwell.server.jobs import api as jobs
from stepwell.server.jobs import images, running
from stepwell.server.launchers import api as launchers
from stepwell.server.launchers.making import enabled
from stepwell.server.lives import Life
from stepwell.server.logs import api as logs
from stepwell.server.metrics import api as metrics
from stepwell.server.metrics import exposition
from stepwell.server.notifications import api as notifications
from stepwell.server.reports import api as reports
from stepwell.server.reports import shared_api as shared
from stepwell.server.retention import api as retention
from stepwell.server.reviews import api as reviews
from stepwell.server.runs import api as runs
from stepwell.server.runs import container_api as containers
from stepwell.server.runs import uploads_api as uploads
from stepwell.server.runs.wire import StoreWire
from stepwell.server.schedules import api as schedules
from stepwell.server.schedules.definitions import labels_api as schedule_labels
from stepwell.server.search import api as search
from stepwell.server.services import QUEUE, Services
from stepwell.server.settings import Settings
from stepwell.server.sources import api as sources
from stepwell.server.state import api as state
from stepwell.server.steps import api as steps
from stepwell.server.steps import controls_api as controls
from stepwell.server.summary import api as summary
from stepwell.server.ui.base_path import BelowPath
from stepwell.server.ui.bundle import Shelf, folder_of
from stepwell.server.ui.serving import Pages
from stepwell.server.views import api as views
from stepwell.server.waiting import api as waiting
from stepwell.server.workflows import api as workflows
from stepwell.version import VERSION

ROOMS: Final[tuple[APIRouter, ...]] = (
    access.router,
    users.router,
    logins.router,
    audit.router,
    groups.router,
    discoveries.router,
    reviews.router,
    workflows.router,
    steps.router,
    jobs.router,
    controls.router,
    schedules.router,
    search.router,
    schedule_labels.router,
    runs.router,
    waiting.router,
    causes.router,
    bulk.router,
    summary.router,
    first_run.router,
    views.router,
    events.router,
    containers.router,
    uploads.router,
    logs.router,
    state.router,
    reports.router,
    shared.router,
    metrics.router,
    retention.router,
    sources.router,
    launchers.router,
    notifications.router,
)
"""Every room's router; a room adds itself by one line."""


description = APIRouter(prefix=PREFIX)


@description.get("/openapi.json", include_in_schema=False)
def describe(request: Request, _: CurrentUser) -> dict[str, Any]:
    """What there is, as OpenAPI 3.1."""
    described: dict[str, Any] = request.app.openapi()
    return described


def create_app(services: Services, rooms: tuple[APIRouter, ...] = ROOMS) -> FastAPI:
    """The HTTP side of a server, with these rooms."""
    app = App(
        title="Stepwell",
        version=VERSION,
        openapi_url=None,  # it is behind a login too: see `describe`
        docs_url=None,
        redoc_url=None,
        openapi_tags=TAGS,
    )
    app.state.services = services
    app.state.hub = Hub(services.db)
    app.state.provider = _provider(services.settings)
    app.add_middleware(StoreWire, services=services)  # innermost
    app.state.rooms = rooms
    if services.settings.run_ui:
        settings = services.settings
        own = {"base": settings.base, "environment": settings.environment}
        app.add_middleware(Pages, shelf=Shelf(folder_of(settings)), **own)
    app.add_middleware(Admission)
    if services.settings.allowed_hosts:
        app.add_middleware(KnownHosts, hosts=services.settings.allowed_hosts)
    problems.install(app)
    metered = () if services.db.bare else (exposition.router,)
    for router in (description, *rooms, *metered, probes.router, logins.entrance):
        app.router.routes.extend(router.routes)
    app.add_middleware(SecurityHeaders, https=secure(services.settings))
    if services.settings.base:
        app.add_middleware(BelowPath, base=services.settings.base)  # outermost
    return app


def _provider(settings: Settings) -> Provider | None:
    if not settings.oidc_issuer:
        return None
    if find_spec("authlib") is None or find_spec("joserfc") is None:
        raise SetupError(
            "STEPWELL_OIDC_ISSUER is set, and what speaks to a provider is not installed here.",
            fix="Run: pip install 'stepwell[oidc]', or leave the setting out.",
        )
    # 9 MiB and a third of a second, which a server without a provider does without.
    from stepwell.server.access.oidc import OpenIdProvider  # noqa: PLC0415

    return OpenIdProvider(settings)


def _nothing() -> None:
    """What most launchers do at the end, and traces and listeners that there are none of."""


class Server:
    """Everything of one server process, made from its settings.

    Parameters
    ----------
    settings : see `Settings`; `run_engine=False` is the API alone, and the reverse.
    launchers : instead of those that the settings name; for tests.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        launchers: dict[str, Launcher] | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        share_arenas()  # before there are threads
        made = enabled(settings) if launchers is None else launchers
        db, blobs = Database(settings.database), _blobs(settings)
        self.services = Services(settings, db, made, clock, blobs)
        self.app = create_app(self.services)
        self.engine = Engine(
            self.db.store,
            background.handlers(self.services),
            queues=(QUEUE,),
            workers=settings.workers,
            name="server",
        )
        self.jobs = _jobs(self.services)
        self.seeder = background.Seeder(self.services)
        self._life = Life(settings.data_dir / "engines")
        self._end_traces = _nothing

    @property
    def settings(self) -> Settings:
        """The settings that it was made from."""
        return self.services.settings

    @property
    def db(self) -> Database:
        """Its database."""
        return self.services.db

    @property
    def admin_token_file(self) -> Path:
        """Where `dev` keeps its admin token, readable by its owner only."""
        return self.settings.data_dir / "admin.token"

    def start(self, listen: Callable[[], object] = _nothing) -> None:
        """Open the database, seed the server's steps and start its engine.

        Parameters
        ----------
        listen : lets requests in. Called before the engine starts, which declares dead whoever
            is silent for 8 s: engines in containers are heard by requests (R10).

        Raises
        ------
        SchemaMissing, SchemaTooNew, SetupError : before anything has started (R24, R44).
        """
        try:
            self._start(listen)
        except BaseException:
            self.stop(timeout=0.0)
            raise

    def _start(self, listen: Callable[[], object]) -> None:
        if self.settings.dev:
            self.settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.db.migrate()
        self.db.open()
        if self.settings.traces:
            self._end_traces = _traced()
        if self.settings.dev:
            tokens.kept_admin_token(self.services, self.admin_token_file)
        with self.db.write() as conn:
            background.seed(conn, self.services)
        listen()
        if self.settings.run_engine:
            self.engine.start()
            assert self.engine.id is not None
            self._life.begin(self.db.store, self.engine.id)
            self.seeder.start()
            if self.jobs is not None:
                self.jobs.start()

    def end_streams(self) -> None:
        """End the live views; before the listener stops, which waits for what is open."""
        self.app.state.hub.stop()

    def stop(self, timeout: float = 10.0) -> None:
        """Let running steps finish for up to `timeout` seconds, then close the database."""
        self.end_streams()
        if self.settings.run_engine:
            self.seeder.stop()
            if self.jobs is not None:
                self.jobs.stop(timeout=0.0)  # their containers go on, and are found again
            self.engine.stop(timeout)
            self._life.end()
        for launcher in self.services.launchers.values():
            getattr(launcher, "close", _nothing)()
        self._end_traces()
        self.db.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _jobs(services: Services) -> Engine | None:
    """What executes steps in containers of their own; None where no step has an image."""
    settings = services.settings
    if not settings.step_images:
        return None
    found = images.read(settings.step_images, tuple(services.launchers))
    registry = running.handlers(services, found)
    queues, workers = settings.step_queues, settings.step_workers
    return Engine(services.db.store, registry, queues=queues, workers=workers, name="step jobs")


def _traced() -> Callable[[], None]:
    if find_spec("opentelemetry") is None:
        raise SetupError(
            "STEPWELL_TRACES is on, and OpenTelemetry is not installed here.",
            fix="Run: pip install 'stepwell[otel]' opentelemetry-sdk, or leave the setting out.",
        )
    from stepwell.telemetry.run_traces import trace_runs  # noqa: PLC0415 - as just looked for

    return trace_runs()


def _blobs(settings: Settings) -> BlobStore:
    if settings.blob_url:
        return BlobStore.at(settings.blob_url)
    return BlobStore.on_disk(settings.data_dir / "blobs")
