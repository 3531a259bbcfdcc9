"""The line that old lines of a book are folded into: what it says, and reading that back.

It is a mark, so the chain goes on from it, and versions that know nothing of it read the
book. Its words count what was before, by fate, and name the instant that the book began.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stepwell.schedules.base import iso
from stepwell.schedules.ledger import Fate
from stepwell.server.schedules.queries import Row

_SUMMARY: Final = re.compile(
    r"summary of what was before: (?P<fates>[^;]*)(; since (?P<since>.*))?"
)
_FATE: Final = re.compile(r"(?P<count>\d+) (?P<fate>\w+)")


@dataclass(frozen=True, slots=True)
class Summary:
    """Due instants by fate; `since` is where the book began (None: an earlier version folded)."""

    fates: Counter[Fate]
    since: datetime | None

    def words(self) -> str:
        """What the line says."""
        counted = sorted(self.fates.items())
        told = ", ".join(f"{count} {fate}" for fate, count in counted) or "nothing due"
        since = "" if self.since is None else f"; since {iso(self.since)}"
        return f"summary of what was before: {told}{since}"


def summary_of(line: Row) -> Summary | None:
    """What a line counts of before; None for every other line."""
    if line["fate"] != Fate.CHANGED:
        return None
    found = _SUMMARY.fullmatch(line["why"] or "")
    if found is None:
        return None
    fates: Counter[Fate] = Counter()
    for one in _FATE.finditer(found["fates"]):
        fates[Fate(one["fate"])] += int(one["count"])
    return Summary(fates, datetime.fromisoformat(found["since"]) if found["since"] else None)


def summed(lines: Sequence[Row]) -> Summary:
    """The summary of lines from the beginning of a book, which may begin with one."""
    before = summary_of(lines[0])
    fates: Counter[Fate] = Counter() if before is None else Counter(before.fates)
    for line in lines:
        if line["count"]:
            fates[Fate(line["fate"])] += line["count"]
    return Summary(fates, lines[0]["first_due"] if before is None else before.since)
