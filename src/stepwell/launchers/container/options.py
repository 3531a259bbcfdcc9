"""What every container gets: limits, network, user. And the body that asks for one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from stepwell.launchers.protocol import LaunchSpec

LABEL: Final = "stepwell"
OWNER: Final = f"{LABEL}.owner"
LAUNCH: Final = f"{LABEL}.launch"
DEADLINE: Final = f"{LABEL}.deadline"

_MIB: Final = 1024 * 1024
_ROOT: Final = frozenset({"", "0", "root"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerOptions:
    """The same for all containers of a launcher.

    Parameters
    ----------
    network : `bridge`, `host`, `none` or the name of one; empty is the engine's default.
    memory_mib : the most memory, without swap; 0 is no limit.
    cpus : so many cores; 0 is no limit.
    pids : the most processes and threads.
    tmp_mib : the size of `/tmp`, which is memory; all else is read-only.
    user : `uid:gid` in place of an image's root; an image's own other user stays.
    volumes : `host-path:path[:ro]` each.
    init : let the engine's small init reap processes and hand on signals.
    log_mib : so much output of one container the engine keeps on disk.
    """

    network: str = ""
    memory_mib: int = 1024
    cpus: float = 1.0
    pids: int = 256
    tmp_mib: int = 256
    user: str = "65532:65532"
    volumes: tuple[str, ...] = ()
    init: bool = True
    log_mib: int = 256


def body(
    spec: LaunchSpec, options: ContainerOptions, *, own_user: str, owner: str, grace: float
) -> dict[str, Any]:
    """The request that creates the container of a launch.

    Parameters
    ----------
    own_user : the user that the image names.
    owner : the launcher's mark.
    grace : seconds between SIGTERM and SIGKILL.
    """
    return {
        "Image": spec.image,
        "User": options.user if own_user.partition(":")[0] in _ROOT else own_user,
        "Env": [f"{name}={value}" for name, value in _environment(spec).items()],
        "Labels": _labels(spec, owner),
        "StopTimeout": math.ceil(grace),
        "Tty": False,
        "HostConfig": _host(options),
    }


def _environment(spec: LaunchSpec) -> Mapping[str, str]:
    """`HOME` is where something can be written."""
    return {"HOME": "/tmp", **spec.environment, "STEPWELL_MODE": spec.mode}  # noqa: S108


def _labels(spec: LaunchSpec, owner: str) -> dict[str, str]:
    """Names of runs and attempts are `<run>-<attempt>`."""
    subject, _, number = spec.name.rpartition("-")
    of_run = {f"{LABEL}.run": subject, f"{LABEL}.attempt": number} if number.isdigit() else {}
    return {
        OWNER: owner,
        LAUNCH: spec.name,
        DEADLINE: str(spec.deadline_seconds),
        f"{LABEL}.mode": spec.mode,
        **of_run,
    }


def _host(options: ContainerOptions) -> dict[str, Any]:
    memory = options.memory_mib * _MIB
    limits = {"Memory": memory, "MemorySwap": memory} if memory else {}
    network = {"NetworkMode": options.network} if options.network else {}
    return {
        **limits,
        **network,
        "NanoCpus": int(options.cpus * 1e9),
        "PidsLimit": options.pids,
        "ReadonlyRootfs": True,
        "Tmpfs": {"/tmp": f"rw,nosuid,nodev,mode=1777,size={options.tmp_mib}m"},  # noqa: S108
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "Privileged": False,
        "Init": options.init,
        "Binds": list(options.volumes),
        "AutoRemove": False,
        "RestartPolicy": {"Name": "no"},
        "LogConfig": {"Type": "json-file", "Config": {"max-size": f"{options.log_mib}m"}},
    }
