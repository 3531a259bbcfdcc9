"""Reading kubeconfig files: clusters, users, contexts; several files are one (`KUBECONFIG`)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stepwell.errors import SetupError
from stepwell.launchers.kubernetes.access import (
    Access,
    Identity,
    KubeconfigInvalid,
    basic,
    bearer,
    decoded,
    from_plugin,
    from_token_file,
    in_cluster,
)


def reached(kubeconfig: str = "", context: str = "", *, environment: Mapping[str, str]) -> Access:
    """The cluster that is meant.

    A kubeconfig that is named, else `KUBECONFIG`, else the cluster that this process runs in,
    else `~/.kube/config`.

    Parameters
    ----------
    kubeconfig : paths, separated as in PATH.
    context : the context in it; empty is its current one.

    Raises
    ------
    KubeconfigInvalid : there is none, or it cannot be used.
    """
    named = kubeconfig or environment.get("KUBECONFIG", "")
    usual = Path(environment.get("HOME", "~")).expanduser() / ".kube" / "config"
    if named:
        return read([Path(one) for one in named.split(os.pathsep) if one], context)
    if "KUBERNETES_SERVICE_HOST" in environment or not usual.exists():
        return in_cluster(environment=environment)
    return read([usual], context)


def read(paths: list[Path], context: str = "") -> Access:
    """The cluster of a context; of what is in several files, the first is taken."""
    files = [(path.absolute().parent, _parsed(path)) for path in paths]
    name = context or next((one["current-context"] for _, one in files if _current(one)), "")
    _, chosen = _named(files, "contexts", name)
    of_cluster, cluster = _named(files, "clusters", chosen["context"].get("cluster", ""))
    of_user, user = _named(files, "users", chosen["context"].get("user", ""))
    about, insecure = cluster["cluster"], "insecure-skip-tls-verify"
    return Access(
        server=str(about["server"]).rstrip("/"),
        namespace=chosen["context"].get("namespace") or "default",
        authority=_pem(about, "certificate-authority", of_cluster),
        insecure=bool(about.get(insecure)),
        tls_name=about.get("tls-server-name", ""),
        proxy=about.get("proxy-url", ""),
        identify=lambda: _identity(user["user"] or {}, of_user),
    )


def _identity(user: Mapping[str, Any], folder: Path) -> Identity:
    if "exec" in user:
        return from_plugin(user["exec"], folder)
    if path := user.get("tokenFile"):
        return from_token_file(folder / path)
    if token := user.get("token"):
        return bearer(token)
    if name := user.get("username"):
        return basic(name, user.get("password", ""))
    chain = _pem(user, "client-certificate", folder)
    return Identity(certificate=(chain, _pem(user, "client-key", folder)) if chain else None)


def _pem(values: Mapping[str, Any], name: str, folder: Path) -> str:
    if data := values.get(f"{name}-data"):
        return decoded(data)
    return (folder / values[name]).read_text() if values.get(name) else ""


def _current(one: Mapping[str, Any]) -> bool:
    return bool(one.get("current-context"))


def _named(
    files: list[tuple[Path, dict[str, Any]]], kind: str, name: str
) -> tuple[Path, dict[str, Any]]:
    for folder, one in _entries(files, kind):
        if one.get("name") == name:
            return folder, one
    raise KubeconfigInvalid(
        f"The kubeconfig has none named {name!r} among its {kind}.",
        why=f"It has: {', '.join(str(one.get('name')) for _, one in _entries(files, kind))}.",
        fix="Correct STEPWELL_KUBERNETES_CONTEXT, or the kubeconfig.",
    )


def _entries(
    files: list[tuple[Path, dict[str, Any]]], kind: str
) -> Iterator[tuple[Path, dict[str, Any]]]:
    for folder, content in files:
        yield from ((folder, one) for one in content.get(kind) or ())


def _parsed(path: Path) -> dict[str, Any]:
    if find_spec("yaml") is None:
        raise SetupError(
            "A kubeconfig is YAML, and what reads it is not installed here.",
            fix="Run: pip install 'stepwell[kubernetes]'.",
        )
    import yaml  # noqa: PLC0415 - as just looked for

    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise KubeconfigInvalid(
            f"{path} cannot be read.", why=str(error), fix="Correct KUBECONFIG."
        ) from error
    return found if isinstance(found, dict) else {}
