"""The figures in docs/reference/benchmarks.md: what was published last, as tables.

    python -m benchmarks.page             write the page's tables from what is published
    python -m benchmarks.page --publish   publish the workloads of the latest run first

Workloads that the latest run did not have keep their figures.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from benchmarks import results
from benchmarks.subject import ROOT

PUBLISHED: Final = results.LATEST.with_name("published.json")
PAGE: Final = ROOT / "docs" / "reference" / "benchmarks.md"
BEGIN: Final = "<!-- Written by `python -m benchmarks.page`; changes from here on are lost. -->\n"
HEAD: Final = (
    "\n| | system | median | min | max | unit | of the limit |"
    "\n| --- | --- | --- | --- | --- | --- | --- |\n"
)


def main(arguments: Sequence[str]) -> None:
    """Publish if asked to, and write the page."""
    if "--publish" in arguments:
        publish(results.LATEST, PUBLISHED)
    PAGE.write_text(page(PAGE.read_text(), results.read(PUBLISHED)))


def publish(latest: Path, published: Path) -> None:
    """Replace the published entries of those workloads that the latest run has."""
    fresh = results.read(latest)
    measured = {entry["workload"] for entry in fresh}
    kept = [entry for entry in results.read(published) if entry["workload"] not in measured]
    results.write(sorted(kept + fresh, key=_place), published)


def page(text: str, entries: Sequence[dict[str, Any]]) -> str:
    """The page's text with the tables of these entries at its end."""
    own, _, _ = text.partition(BEGIN)
    return own + BEGIN + "".join(_sections(entries))


def _sections(entries: Sequence[dict[str, Any]]) -> list[str]:
    groups = groupby(entries, lambda entry: (entry["workload"], entry["store"], entry["size"]))
    return [_section(*key, list(rows)) for key, rows in groups]


def _section(workload: str, store: str, size: str, rows: list[dict[str, Any]]) -> str:
    return f"\n### {workload} on {store}: {size}\n\n{_taken_on(rows[0])}\n" + HEAD + _rows(rows)


def _rows(rows: list[dict[str, Any]]) -> str:
    return "".join(f"| {' | '.join(_cells(row))} |\n" for row in rows)


def _cells(row: dict[str, Any]) -> list[str]:
    part = row["ratio_to_limit"]
    figures = [f"{row[key]:,}" for key in ("median", "min", "max")]
    system = f"{row['system']} ({row['note']})" if row["note"] else row["system"]
    return [row["variant"], system, *figures, row["unit"], "" if part is None else f"{part:.2f}"]


def _taken_on(row: dict[str, Any]) -> str:
    machine, made = row["machine"], row["versions"]
    rounds = len(row["rounds"])
    versions = ", ".join(f"{name} {version}" for name, version in made.items())
    return (
        f"{rounds} round{'s' * (rounds > 1)}, {machine['cores']} cores ({machine['processor']}),"
        f" {machine['memory_gib']} GiB, load {machine['load']} at the start,"
        f" a durable write {machine['durable_write_ms']} ms; {versions}."
    )


def _place(entry: dict[str, Any]) -> int:
    return int(entry["workload"].removeprefix("W"))


if __name__ == "__main__":
    main(sys.argv[1:])
