"""How a cluster is reached, and who asks: kubeconfig, in-cluster files, exec plugins."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from stepwell import clock
from stepwell.errors import SetupError

IN_CLUSTER: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its token, the cluster's certificate and its namespace."""
FRESH: Final = 60.0
"""Seconds for which a token that was read from a file is good."""
PLUGIN: Final = 60.0
"""Seconds that an exec plugin may take."""


class KubeconfigInvalid(SetupError):
    """No cluster can be reached with what is configured."""

    code = "kubeconfig-invalid"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. `certificate` is a chain and its key in PEM; all of it is secret."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificate: tuple[str, str] | None = field(default=None, repr=False)
    until: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One cluster, one user of it, and the namespace that is meant where none is named.

    Parameters
    ----------
    server : `https://host:port`.
    authority : the certificate authority in PEM; empty is those that the system trusts.
    insecure : do not check the server's certificate.
    tls_name : the name that the server's certificate must have, where it is another one.
    identify : makes the identity anew; called when the last one is over or was refused.
    """

    server: str
    namespace: str = "default"
    authority: str = ""
    insecure: bool = False
    tls_name: str = ""
    proxy: str = ""
    identify: Callable[[], Identity] = field(default=Identity, repr=False)

    def context(self, identity: Identity) -> ssl.SSLContext:
        """What a connection is checked with."""
        made = ssl.create_default_context(cadata=self.authority or None)
        if self.insecure:
            made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
        if identity.certificate is not None:
            _load(made, identity.certificate)
        return made


class Identities:
    """The identity of the moment; safe to use from several threads."""

    def __init__(self, identify: Callable[[], Identity]) -> None:
        self._identify, self._lock = identify, threading.Lock()
        self._known: Identity | None = None

    def now(self) -> Identity:
        """The identity, made anew when the last one is over."""
        with self._lock:
            if self._known is None or clock.now().timestamp() >= self._known.until:
                self._known = self._identify()
            return self._known

    def forget(self, refused: Identity) -> None:
        """It was refused: the next one is made anew."""
        with self._lock:
            if self._known is refused:
                self._known = None


def in_cluster(folder: Path = IN_CLUSTER, environment: Mapping[str, str] = os.environ) -> Access:
    """The cluster that this process is a pod of.

    Raises
    ------
    KubeconfigInvalid : it is none, or its service account has no token mounted.
    """
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), "KUBERNETES_SERVICE_PORT"
    if not host or not (folder / "token").exists():
        raise KubeconfigInvalid(
            "No cluster is named.",
            why="There is no kubeconfig, and this process is no pod with a service account.",
            fix="Set KUBECONFIG, or mount the service account's token into the server's pod.",
        )
    name = f"[{host}]" if ":" in host else host
    return Access(
        server=f"https://{name}:{environment.get(port, '443')}",
        namespace=(folder / "namespace").read_text().strip(),
        authority=(folder / "ca.crt").read_text(),
        identify=lambda: from_token_file(folder / "token"),
    )


def from_token_file(path: Path) -> Identity:
    """The token in a file, which others renew."""
    return bearer(path.read_text().strip(), clock.now().timestamp() + FRESH)


def bearer(token: str, until: float = float("inf")) -> Identity:
    """Whoever holds the token."""
    return Identity({"Authorization": f"Bearer {token}"}, until=until)


def from_plugin(command: Mapping[str, Any], folder: Path) -> Identity:
    """What an exec plugin of a kubeconfig says (`client.authentication.k8s.io`).

    Raises
    ------
    KubeconfigInvalid : it cannot be run, or says nothing that can be used.
    """
    name, version = str(command["command"]), str(command.get("apiVersion", ""))
    about = {"kind": "ExecCredential", "apiVersion": version, "spec": {"interactive": False}}
    given = {one["name"]: one["value"] for one in command.get("env") or ()}
    environment = {**os.environ, **given, "KUBERNETES_EXEC_INFO": json.dumps(about)}
    path = str(folder / name) if "/" in name else name
    try:
        done = subprocess.run(
            [path, *(command.get("args") or ())],
            env=environment,
            capture_output=True,
            timeout=PLUGIN,
            check=True,
        )
        status: dict[str, Any] = json.loads(done.stdout)["status"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        said = getattr(error, "stderr", b"") or b""
        raise KubeconfigInvalid(
            f"The command {name!r} of the kubeconfig gives no credentials.",
            why=said.decode(errors="replace").strip()[-500:] or str(error),
            fix=str(command.get("installHint") or "Run it by hand, and see what it says."),
        ) from error
    return _of_status(status)


def decoded(text: str) -> str:
    """PEM that was written as base64."""
    return base64.b64decode(text).decode()


def _of_status(status: Mapping[str, Any]) -> Identity:
    over = status.get("expirationTimestamp")
    until = datetime.fromisoformat(over).timestamp() - 10 if over else float("inf")
    token, chain = status.get("token"), status.get("clientCertificateData")
    return Identity(
        {"Authorization": f"Bearer {token}"} if token else {},
        (chain, str(status.get("clientKeyData", ""))) if chain else None,
        until,
    )


def _load(context: ssl.SSLContext, certificate: tuple[str, str]) -> None:
    """Python reads certificates of clients from files only."""
    with tempfile.TemporaryDirectory(prefix="stepwell-") as folder:  # mode 0700
        paths = [Path(folder) / name for name in ("chain.pem", "key.pem")]
        for path, text in zip(paths, certificate, strict=True):
            path.write_text(text)
        context.load_cert_chain(paths[0], paths[1])


def basic(name: str, password: str) -> Identity:
    """A name and a password, as some proxies in front of clusters want."""
    text = base64.b64encode(f"{name}:{password}".encode()).decode()
    return Identity({"Authorization": f"Basic {text}"})
