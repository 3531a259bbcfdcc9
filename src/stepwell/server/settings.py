"""Every setting of the server: its default and what it means, on one page.

Each can be given as an environment variable: `STEPWELL_` and the name in capitals
(`STEPWELL_DATABASE_URL`). Lists are separated by commas, yes/no is `1` or `0`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stepwell.errors import InvalidInput, SetupError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one server process runs. Times are in seconds.

    Parameters
    ----------
    data_dir : kept copies of local groups, logs, the database of `dev`, the secret key.
    database_url : `sqlite:///file` or `postgresql://...`; empty is a file in `data_dir`.
    secret_key : signs run tokens (R35); empty is a key kept in `data_dir/secret.key`.
        Several servers on one database need the same key.
    launchers : the launchers that may start images; `serve` names none by default (R42).
    host, port : where the API listens.
    public_url : how people reach the server, and images if `images_url` is empty; empty is
        `http://{host}:{port}`.
    images_url : how images reach the API, where that is another way, `http://server:8420`.
    base_path : the path below which a proxy shows the server, `/stepwell`; empty is that
        of `public_url`.
    run_api : serve HTTP (`serve`).
    run_ui : answer browsers with the pages.
    ui_folder : where the built pages are; empty is those of the package, else `web/dist` of
        a checkout.
    environment : what the pages call this server, `production`; empty says nothing.
    run_engine : run the server's own steps (`work`).
    workers : how many of the server's own steps run at once in this process.
    dev : one process for one developer: tables are made without asking (R44), an admin
        token is kept in `data_dir/admin.token`.
    allowed_hosts : the Host names answered to, also checked against Origin; empty is any.
    trusted_proxies : how many proxies of your own stand in front: so many entries of
        `X-Forwarded-For`, from its end, are believed. 0 believes none.
    session_idle, session_life : a session of the browser ends when it was not used for the
        one, and at the latest after the other.
    login_token_life : how long a token made by `stepwell login` is good.
    oidc_issuer : the address of an OpenID Connect provider; empty is no such login. Users
        come back to `{public_url}/api/v1/login/oidc/callback`.
    oidc_client_id, oidc_client_secret : what the provider knows this server by; without a
        secret it is a public client.
    oidc_label : what the button of that login says.
    oidc_scopes : what is asked for beside `openid`.
    oidc_name_claim, oidc_role_claim : the claims with the user's name, and with what
        decides about the role.
    oidc_roles : `value=role`: who has that value in the role claim has that role; of
        several the highest.
    oidc_default_role : for who has none of the values; empty is not let in.
    oidc_create_users : make an account at the first login; off lets in only whom an admin
        has linked.
    discovery_timeout : an image that has posted no manifest by then is stopped.
    schedule_grace : a due instant that nobody has acted on for longer was missed (R30).
    two_person_review : what one reviewer accepts another one must confirm, in every group
        that says nothing else.
    schedule_late_after : a schedule whose tick is later than this is told of as late, unless
        it has a grace of its own.
    keep_done_days, keep_failed_days : for how long the steps of runs are kept after their
        end; longer than any run may take.
    keep_runs_days, keep_ledger_days, keep_audit_days : for how long runs and their attempts,
        lines of the ledger, and entries of the audit log are kept.
    keep_discoveries_days : for how long what an image wrote when it was discovered is kept.
    keep_images_days, keep_jobs_days : for how long copies of local groups that no release
        needs, and the folders of ended launches, stay in `data_dir`.
    keep_containers_days : for how long ended containers, and Jobs of Kubernetes, stay.
    keep_state_days : for how long earlier versions of state are kept.
    keep_access_days : for how long ended sessions and used links are kept.
    smtp_url : the mail server for notifications: `smtp://user:password@host:587`,
        `smtp+starttls://...` or `smtps://...`; empty is none.
    mail_from : the sender of mails.
    webhook_hosts : hosts that may be notified though they are this machine's own, or
        link-local.
    traces : export each run as an OpenTelemetry trace, by the program's own SDK, and let
        containers continue it.
    blob_url : where logs, large reports and results are: `s3://bucket/prefix`,
        `gs://bucket/prefix`, `az://container/prefix`, with the credentials in the
        environment as the cloud's own tools read them; empty is `data_dir/blobs`.
        Several servers on one database need the same one.
    log_bytes_per_run : so much of a run's log is kept, half of it the head, half the
        tail (R39).
    blob_bytes_per_run, state_keys_per_run, steps_per_run : one run may keep so many bytes of
        reports and results, be the first to write so many keys of state, and have so many
        steps; 0 is no limit.
    keep_log_days : for how long logs are kept.
    keep_report_days : for how long reports are kept that do not say so themselves.
    container_host : the engine of the launcher `container`: `unix:///path/of/the/socket` or
        `tcp://host:port`; empty is `DOCKER_HOST`, else the usual socket of Docker or Podman.
    container_network : `bridge`, `host`, `none` or the name of a network; empty is the
        engine's default. The API must be reachable from it, see `images_url`.
    container_memory_mib, container_cpus, container_pids : what one container may use at
        most; 0 is no limit.
    container_tmp_mib : the size of its `/tmp`; all else of it is read-only.
    container_user : `uid:gid` for images that name no user, or root.
    container_volumes : `host-path:path[:ro]` each, for all containers.
    container_init : give containers a small init, which reaps processes and hands on signals.
    step_images : `NAME=IMAGE` or `NAME=LAUNCHER:IMAGE` each: steps of that name are executed in
        containers of that image, outside of any workflow group.
    step_queues : the queues of such steps.
    step_workers : so many of them run at once, for each server.
    step_deadline : one execution may take so long.
    keep_step_jobs_days : for how long it is kept what became of their containers.
    kubernetes_config, kubernetes_context : the kubeconfig of the launcher `kubernetes`, and a
        context in it; empty is `KUBECONFIG`, else the cluster that the server runs in, else
        `~/.kube/config`, and its current context.
    kubernetes_namespace : where Jobs are made; empty is the context's, or the server's own.
    kubernetes_namespaces : others that groups may ask for.
    kubernetes_cpu, kubernetes_memory, kubernetes_tmp : what a pod asks for (of memory and
        `/tmp` it is the most, too), as Kubernetes writes amounts; empty is none.
    kubernetes_user : `uid:gid` in pods; empty is the image's own, which must be a number.
    kubernetes_pull_policy : `IfNotPresent`, `Always`, or `Never` for images that are on the
        nodes and in no registry.
    kubernetes_pull_secrets, kubernetes_service_account : for groups that name none.
    kubernetes_lost_after : seconds after which pods of a node that is not heard of are given up.
    """

    data_dir: Path = field(default_factory=lambda: Path(".stepwell"))
    database_url: str = ""
    secret_key: str = field(default="", repr=False)
    launchers: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8420
    public_url: str = ""
    images_url: str = ""
    base_path: str = ""
    run_api: bool = True
    run_ui: bool = True
    ui_folder: str = ""
    environment: str = ""
    run_engine: bool = True
    workers: int = 8
    dev: bool = False
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: int = 0
    session_idle: float = 8 * 3600.0
    session_life: float = 7 * 24 * 3600.0
    login_token_life: float = 30 * 24 * 3600.0
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = field(default="", repr=False)
    oidc_label: str = ""
    oidc_scopes: tuple[str, ...] = ("profile", "email")
    oidc_name_claim: str = "preferred_username"
    oidc_role_claim: str = "groups"
    oidc_roles: tuple[str, ...] = ()
    oidc_default_role: str = ""
    oidc_create_users: bool = True
    discovery_timeout: float = 120.0
    schedule_grace: float = 60.0
    two_person_review: bool = False
    schedule_late_after: float = 300.0
    keep_done_days: int = 90
    keep_failed_days: int = 180
    smtp_url: str = field(default="", repr=False)
    mail_from: str = "stepwell@localhost"
    webhook_hosts: tuple[str, ...] = ()
    traces: bool = False
    blob_url: str = ""
    log_bytes_per_run: int = 100 * 1024 * 1024
    blob_bytes_per_run: int = 10 * 1024**3
    state_keys_per_run: int = 10_000
    steps_per_run: int = 10_000
    keep_log_days: int = 90
    keep_report_days: int = 365
    keep_runs_days: int = 365
    keep_ledger_days: int = 365
    keep_audit_days: int = 730
    keep_discoveries_days: int = 90
    keep_images_days: int = 90
    keep_jobs_days: int = 30
    keep_state_days: int = 90
    keep_access_days: int = 30
    keep_containers_days: int = 1
    container_host: str = ""
    container_network: str = ""
    container_memory_mib: int = 1024
    container_cpus: float = 1.0
    container_pids: int = 256
    container_tmp_mib: int = 256
    container_user: str = "65532:65532"
    container_volumes: tuple[str, ...] = ()
    container_init: bool = True
    step_images: tuple[str, ...] = ()
    step_queues: tuple[str, ...] = ("default",)
    step_workers: int = 16
    step_deadline: float = 24 * 3600.0
    keep_step_jobs_days: int = 90
    kubernetes_config: str = ""
    kubernetes_context: str = ""
    kubernetes_namespace: str = ""
    kubernetes_namespaces: tuple[str, ...] = ()
    kubernetes_cpu: str = "500m"
    kubernetes_memory: str = "1Gi"
    kubernetes_tmp: str = "256Mi"
    kubernetes_user: str = "65532:65532"
    kubernetes_pull_policy: str = "IfNotPresent"
    kubernetes_pull_secrets: tuple[str, ...] = ()
    kubernetes_service_account: str = ""
    kubernetes_lost_after: int = 60

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] | None = None, **given: Any
    ) -> Settings:
        """The settings of the environment; what is given by name wins.

        Raises
        ------
        InvalidInput : a variable whose text does not fit the setting.
        """
        source = os.environ if environment is None else environment
        found = {
            f.name: source[_variable(f.name)] for f in fields(cls) if _variable(f.name) in source
        }
        read = {name: _read(name, text, cls) for name, text in found.items()}
        return cls(**{**read, **given})

    @classmethod
    def for_dev(cls, data_dir: Path, **given: Any) -> Settings:
        """One developer's server: loopback, SQLite in `data_dir`, the process launcher (R42)."""
        local = {
            "launchers": ("process",),
            "environment": "dev",
            "allowed_hosts": ("127.0.0.1", "localhost", "[::1]"),
        }
        return cls(**{"data_dir": data_dir, "dev": True, **local, **given})

    @property
    def database(self) -> str:
        """The address of the database."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'stepwell.db'}"

    @property
    def url(self) -> str:
        """How people reach the server, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def url_for_images(self) -> str:
        """How images reach the API, without a slash at the end."""
        return self.images_url.rstrip("/") or self.url

    @property
    def base(self) -> str:
        """The path below which the server is reached: empty, or `/stepwell`."""
        path = (self.base_path or urlsplit(self.public_url).path).strip("/")
        return f"/{path}" if path else ""

    @property
    def signing_key(self) -> bytes:
        """The secret key; made and kept on first use where none is set."""
        return self.secret_key.encode() or kept_secret(self.data_dir / "secret.key").encode()


def kept_secret(path: Path) -> str:
    """The secret in `path`, which only its owner can read; made on first use.

    Where there is one nothing is written: each request of a container asks for it, and a disk
    may be full.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another server was faster
            write_secret(path, secrets.token_urlsafe(48))
    try:
        found = path.read_text().strip()
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read.", why=str(error), fix="Run as the owner of the data directory."
        ) from error
    if not found:  # signing with it would let anybody make tokens
        raise SetupError(
            f"{path} is empty.",
            why="A full disk or a power cut came in between when it was made.",
            fix="Remove it: a new key is made, and what runs now is started again.",
        )
    return found


def write_secret(path: Path, text: str) -> None:
    """A new file with mode 0600, whole from the start; `FileExistsError` if there is one."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(handle)
        os.link(draft, path)
    finally:
        Path(draft).unlink()


def _variable(name: str) -> str:
    return f"STEPWELL_{name.upper()}"


def _read(name: str, text: str, cls: type[Settings]) -> Any:
    sample = getattr(cls(), name)
    try:
        return _as(type(sample), text)
    except (ValueError, KeyError) as error:
        raise InvalidInput(
            f"{_variable(name)}={text!r} cannot be used.",
            why=f"It must be {_KINDS[type(sample)]}.",
            fix="Correct the variable, or leave it out for the default.",
        ) from error


def _as(kind: type, text: str) -> Any:
    if kind is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return _TRUTH[text.lower()] if kind is bool else kind(text)


_TRUTH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
_KINDS: dict[type, str] = {
    int: "a whole number",
    float: "a number of seconds",
    bool: "1 or 0",
}
