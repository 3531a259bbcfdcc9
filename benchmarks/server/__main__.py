"""The command: `python -m benchmarks.server`, or `make bench-server`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks import results
from benchmarks.machine import machine
from benchmarks.results import Result
from benchmarks.server.figures import BESIDE, FIGURES, Figures
from benchmarks.server.peers import PEERS
from benchmarks.server.systems import Measured, itself

LATEST: Final = results.LATEST.with_name("server.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the figures, print their table, write them; the exit code."""
    given = parser().parse_args(arguments)
    sizes = dict(given.size)
    peers = [one for one in PEERS if given.peers and present(one)]
    entries = []
    for name in given.figures:
        here = machine()  # with the load at that time
        measure, usual, unit = FIGURES[name]
        size = sizes.get(name, usual)
        beside = peers if name in BESIDE else []
        rounds: list[list[Figures]] = [[] for _ in (0, *beside)]
        for number in range(given.rounds):
            print(f"{name}, {size} {unit}, round {number + 1}", file=sys.stderr, flush=True)
            rounds[0].append(measure(size))
            for mine, one in zip(rounds[1:], beside, strict=True):
                mine.append(BESIDE[name](one, size))
        for measured, mine in zip((itself(), *beside), rounds, strict=True):
            found = taken(measured, name, f"{size} {unit}", mine)
            entries += [one.as_json(here) for one in found]
    results.write(entries, given.out)
    print(results.table(entries))
    return 0


def present(peer: Measured) -> bool:
    """Whether its environment is there."""
    if not peer.python.exists():
        print(f"{peer.name} is not installed, and left out", file=sys.stderr)
    return peer.python.exists()


def taken(measured: Measured, name: str, size: str, rounds: Sequence[Figures]) -> list[Result]:
    """The rounds of a figure as results."""
    return [
        Result(
            workload=name,
            system=measured.name,
            store="sqlite",
            variant=variant,
            unit=unit,
            size=size,
            rounds=tuple(one[variant, unit] for one in rounds),
            versions=measured.versions,
        )
        for variant, unit in rounds[0]
    ]


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    made = argparse.ArgumentParser("python -m benchmarks.server", description=__doc__)
    made.add_argument("--figures", type=named, default=list(FIGURES), help="run,due: no others")
    made.add_argument("--rounds", type=int, default=3, help="how often each is taken")
    made.add_argument(
        "--size", action="append", default=[], type=size, help="NAME=NUMBER, of a figure"
    )
    made.add_argument("--peers", action="store_true", help="measure other systems too")
    made.add_argument("--out", type=Path, default=LATEST, help="where the figures go")
    return made


def named(words: str) -> list[str]:
    """Figures by their names, separated by commas."""
    unknown = [word for word in words.split(",") if word not in FIGURES]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(FIGURES)}")
    return words.split(",")


def size(word: str) -> tuple[str, int]:
    """NAME=NUMBER."""
    name, _, value = word.partition("=")
    return named(name)[0], int(value)


if __name__ == "__main__":
    sys.exit(main())
