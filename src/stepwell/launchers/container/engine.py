"""A small client of the Docker Engine API, which Podman speaks too: HTTP on a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from stepwell.errors import SetupError
from stepwell.launchers.protocol import LaunchFailed
from stepwell.lean import httpx

SOCKETS: Final = ("/var/run/docker.sock", "/run/podman/podman.sock")
"""Where an engine is looked for when nobody names one."""

PATIENCE: Final = 60.0
"""Seconds for an answer, or for the next piece of one."""


class Refused(Exception):
    """The engine's answer to what it would not do; it never leaves this package.

    Parameters
    ----------
    status : of HTTP.
    message : the engine's own words.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class EngineAddressInvalid(SetupError):
    """The address of a container engine that cannot be used."""

    code = "container-address-invalid"


class ContainerEngine:
    """Requests to one engine; safe to use from several threads.

    Parameters
    ----------
    address : `unix:///run/podman/podman.sock`, a path, `tcp://host:2375` or `http(s)://...`.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        base, transport = _reached(address)
        self._client = httpx.Client(
            base_url=base, transport=transport, timeout=PATIENCE, trust_env=False
        )

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any
    ) -> Any:
        """The JSON of an answer; None without any.

        Raises
        ------
        Refused : the engine's answer is an error.
        LaunchFailed : there is no answer.
        """
        try:
            answer = self._client.request(method, path, params=query, json=body)
        except httpx.HTTPError as error:
            raise self.silent(error) from error
        if answer.is_error:
            raise Refused(answer.status_code, _message(answer.content))
        return answer.json() if answer.content.strip() else None

    def find(self, path: str, **query: Any) -> Any:
        """As `GET` of `ask`, and None for what is not there."""
        try:
            return self.ask("GET", path, **query)
        except Refused as refused:
            if refused.status == httpx.codes.NOT_FOUND:
                return None
            raise

    @contextmanager
    def stream(self, method: str, path: str, **query: Any) -> Iterator[Iterator[bytes]]:
        """The pieces of an answer as they come; raises as `ask`."""
        try:
            with self._client.stream(method, path, params=query) as answer:
                if answer.is_error:
                    raise Refused(answer.status_code, _message(answer.read()))
                yield answer.iter_raw()
        except httpx.HTTPError as error:
            raise self.silent(error) from error

    def silent(self, error: Exception) -> LaunchFailed:
        """What to say of an engine that does not answer."""
        return LaunchFailed(
            f"The container engine at {self.address} does not answer.",
            why=str(error) or type(error).__name__,
            fix="Start it (`systemctl start docker`, `podman system service`), let the server's "
            "user open its socket, or correct STEPWELL_CONTAINER_HOST.",
        )


def default_address(environment: Mapping[str, str]) -> str:
    """`DOCKER_HOST`, or the first usual socket that is there."""
    if given := environment.get("DOCKER_HOST"):
        return given
    found = next((one for one in SOCKETS if Path(one).exists()), SOCKETS[0])
    return f"unix://{found}"


def _reached(address: str) -> tuple[str, httpx.BaseTransport | None]:
    scheme, _, rest = address.rpartition("://")
    if scheme == "unix" or (not scheme and rest.startswith("/")):
        return "http://engine", httpx.HTTPTransport(uds=rest)
    if scheme in ("tcp", "http", "https") and rest:
        return f"{'http' if scheme == 'tcp' else scheme}://{rest}", None
    raise EngineAddressInvalid(
        f"{address!r} is no address of a container engine.",
        fix="Use unix:///path/of/the/socket, tcp://host:port or https://host:port.",
    )


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace").strip() or "no reason given"
