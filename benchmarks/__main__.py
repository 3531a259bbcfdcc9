"""The command: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from types import FrameType

from benchmarks import results
from benchmarks.bench import SMOKE, STORES, Bench, Sizes
from benchmarks.machine import machine
from benchmarks.workloads import WORKLOADS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run workloads, print their table, write their figures; the exit code."""
    given = parser().parse_args(arguments)
    here = machine()
    with Bench(
        sizes=sizes(given),
        rounds=given.rounds,
        stores=tuple(given.stores.split(",")),
        peers=given.peers,
        say=report,
    ) as bench:
        for name in given.workloads:
            WORKLOADS[name](bench)
    entries = [one.as_json(here) for one in bench.results]
    results.write(entries, given.out)
    print(results.table(entries))
    return 0


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    made = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    made.add_argument(
        "--workloads", type=named, default=list(WORKLOADS), help="W1,W4: these and no others"
    )
    made.add_argument("--rounds", type=int, default=5, help="how often each figure is taken")
    made.add_argument("--stores", default=",".join(STORES), help="for workloads of several")
    made.add_argument("--peers", action="store_true", help="measure other systems too")
    made.add_argument("--smoke", action="store_true", help="tiny sizes: does it run?")
    known = ", ".join(one.name for one in fields(Sizes))
    made.add_argument(
        "--size", action="append", default=[], help=f"NAME=VALUE, one of: {known}", type=size
    )
    made.add_argument("--out", type=Path, default=results.LATEST, help="where the figures go")
    return made


def named(words: str) -> list[str]:
    """Workloads by their names, separated by commas."""
    unknown = [word for word in words.upper().split(",") if word not in WORKLOADS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(WORKLOADS)}")
    return words.upper().split(",")


def size(word: str) -> tuple[str, float]:
    """NAME=VALUE."""
    name, _, value = word.partition("=")
    if name not in {one.name for one in fields(Sizes)}:
        raise argparse.ArgumentTypeError(f"there is no size {name!r}")
    return name, float(value)


def sizes(given: argparse.Namespace) -> Sizes:
    """The sizes asked for."""
    base = SMOKE if given.smoke else Sizes()
    wanted = {name: type(getattr(base, name))(value) for name, value in given.size}
    return replace(base, **wanted)


def report(line: str) -> None:
    """What goes on, beside the table."""
    print(line, file=sys.stderr, flush=True)


def give_up(number: int, frame: FrameType | None) -> None:
    """On SIGTERM: as on Ctrl-C, so that servers stop and files go."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, give_up)
    sys.exit(main())
