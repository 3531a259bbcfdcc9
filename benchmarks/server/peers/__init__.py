"""Other systems that run workflows, measured as this one is, where they are installed."""

from __future__ import annotations

from typing import Final

from benchmarks.server.peers.dagster import Dagster
from benchmarks.server.peers.prefect import Prefect
from benchmarks.server.systems import Measured, peer

PEERS: Final[tuple[Measured, ...]] = (peer("prefect", Prefect), peer("dagster", Dagster))
