"""What is told of launchers."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel


class LauncherShown(BaseModel):
    """A launcher: whether this server has it, what it starts, and whether a cluster says what
    it may do there.

    `fix` is how a server gets it; empty where it has it.
    """

    name: str
    enabled: bool
    sentence: str
    permitted: bool
    fix: str


class ClusterPermission(BaseModel):
    """Verbs on one resource, and those of them that are not granted.

    `namespace` is null for what is of the whole cluster. `manifest` is the YAML that grants
    it with all else that is needed there; null where nothing is missing.
    """

    group: str
    resource: str
    namespace: str | None
    verbs: list[str]
    missing: list[str]
    optional: bool
    why: str
    manifest: str | None


class ClusterPermissions(BaseModel):
    """What a launcher may do in its cluster, asked a moment ago.

    `subject` is whom the cluster takes it for. `well` says that nothing is missing but what
    is optional; `manifest` grants all that is missing, optional or not, and is null where
    nothing is.
    """

    launcher: str
    server: str
    subject: str
    namespaces: list[str]
    well: bool
    items: list[ClusterPermission]
    manifest: str | None
    as_of: datetime
