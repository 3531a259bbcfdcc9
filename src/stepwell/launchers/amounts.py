"""Amounts of CPU and memory as Kubernetes writes them: `500m`, `2`, `512Mi`, `64Gi`."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {
    "m": 0.001,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
    "n": 1e-9,
    "u": 1e-6,
}
_AMOUNT: Final = re.compile(r"([0-9.]+)([a-zA-Z]*)")


def number(amount: str) -> float:
    """The amount in cores or bytes; 0 for what is none."""
    found = _AMOUNT.fullmatch(str(amount))
    if found is None or found[2] not in _UNITS:
        return 0.0
    return float(found[1]) * _UNITS[found[2]]


def words(resource: str, amount: str) -> str:
    """An amount for people: `8 CPU`, `64 GiB memory`, `1 nvidia.com/gpu`."""
    if resource == "cpu":
        return f"{number(amount):g} CPU"
    if resource in ("memory", "ephemeral-storage"):
        return f"{size(number(amount))} {resource.replace('ephemeral-', '')}"
    return f"{amount} {resource}"


def size(amount: float) -> str:
    """Bytes for people: `1.5 GiB`, `512 MiB`."""
    for unit, least in (("TiB", 2.0**40), ("GiB", 2.0**30), ("MiB", 2.0**20), ("KiB", 2.0**10)):
        if amount >= least:
            return f"{amount / least:.3g} {unit}" if amount / least < 1000 else _whole(amount, unit)
    return f"{amount:g} B"


def _whole(amount: float, unit: str) -> str:
    return f"{amount / 2.0 ** {'TiB': 40, 'GiB': 30, 'MiB': 20, 'KiB': 10}[unit]:.0f} {unit}"
