"""On what it was measured: the machine, and the versions of what ran."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from stepwell.version import VERSION


def machine() -> dict[str, Any]:
    """Processor, cores, memory in GiB, system, what a durable write costs in ms, and how many
    processes wanted a core in the last minute: more than there are cores is a busy machine."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(_memory() / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 1),
        "durable_write_ms": round(_durable_write() * 1000, 3),
    }


def versions(**more: str) -> dict[str, str]:
    """Of Stepwell, Python, the drivers, and `more`."""
    return {
        "stepwell": VERSION,
        "python": platform.python_version(),
        "psycopg": version("psycopg"),
    } | more


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _durable_write(times: int = 50) -> float:
    """Seconds that a page takes until the disk says it has it, where the databases will be."""
    taken = []
    with tempfile.TemporaryFile() as file:
        for _ in range(times):
            file.write(bytes(8192))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return median(taken)
