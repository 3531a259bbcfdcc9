"""The environments of peers: one each, so that no two have to agree on their dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.subject import ROOT

HOME: Final = ROOT / "benchmarks" / ".peers"
PINS: Final = ROOT / "benchmarks" / "peers"


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a peer is installed, if it is: `make bench PEERS=1`, `make bench-server PEERS=1`."""

    name: str

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return HOME / self.name / "bin" / "python"

    @property
    def pins(self) -> list[str]:
        """What it consists of, as `name==version`."""
        return (PINS / f"requirements-{self.name}.txt").read_text().splitlines()

    @property
    def version(self) -> str:
        """As pinned."""
        found = (pin.partition("==") for pin in self.pins)
        return next(version for name, _, version in found if name == self.name)
