"""Read the log of a run: a page forward or backward, by what it holds, with what is around.

What an index row can rule out is never fetched, so the end of a log of a million
lines opens by reading one segment or two.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.server.blobs.service import BlobMissing, BlobStore
from stepwell.server.logs import queries
from stepwell.server.logs.records import (
    LogLine,
    LogPage,
    Place,
    Segment,
    Wanted,
    instant,
    level_of,
)
from stepwell.server.logs.service import text_of
from stepwell.server.paging import encoded
from stepwell.workflows.lines import Line, lines_of, read

BUDGET: Final = 2.0
"""Seconds for which matches are counted beyond the page; then `complete` is False."""

_START: Final = Place(0, -1)

Found: TypeAlias = tuple[int, Line]
"""The number of a line within its segment, and the line."""


class Log:
    """The log of one run as it is now, narrowed to what is wanted."""

    def __init__(self, conn: Connection, store: BlobStore, run_id: UUID, wanted: Wanted) -> None:
        self._conn, self._store, self._wanted = conn, store, wanted
        self._end = Place(*queries.end_of(conn, run_id))
        self._segments = queries.of_run(conn, run_id, wanted)
        self._gaps = _gaps(self._segments) if _is_whole(wanted) else {}
        self._needle = None if wanted.text is None else _escaped(wanted.text)
        self._counts: dict[tuple[int, int], int] = {}
        self._gone: set[tuple[int, int]] = set()

    def forward(self, after: Place | None, limit: int, context: int = 0) -> LogPage:
        """The lines after a place, or from the beginning."""
        start, items, have = after or _START, list[LogLine](), 0
        for segment in self._segments:
            if Place(segment.attempt, segment.end - 1) <= start:
                continue
            least = start.line - segment.first_line if segment.attempt == start.attempt else -1
            chunk = [one for one in self._matching(segment) if one[0] > least][: limit - have]
            items += self._shown(segment, chunk, context)
            have += len(chunk)
            if have >= limit:
                return self._page(items, _last(items, start), limit)
        return self._page(items, self._behind(items, start), limit)

    def backward(self, before: Place | None, limit: int, context: int = 0) -> LogPage:
        """The lines before a place, or up to the end; oldest first all the same."""
        parts, have = deque[list[LogLine]](), 0
        for segment in reversed(self._segments):
            if before is not None and before <= Place(segment.attempt, segment.first_line):
                continue
            most = segment.lines
            if before is not None and segment.attempt == before.attempt:
                most = before.line - segment.first_line
            chunk = [one for one in self._matching(segment) if one[0] < most]
            chunk = chunk[max(0, len(chunk) - (limit - have)) :]
            parts.appendleft(self._shown(segment, chunk, context))
            have += len(chunk)
            if have >= limit:
                break
        items = [line for part in parts for line in part]
        end = self._behind(items, _START) if before is None else _last(items, before)
        return self._page(items, end, limit)

    def texts(self) -> Iterator[str]:
        """All that is wanted, a segment at a time, as plain text with times."""
        for segment in self._segments:
            shown = self._shown(segment, self._matching(segment), 0)
            yield "".join(as_text(one) for one in shown)

    # -- one segment -----------------------------------------------------------

    def _matching(self, segment: Segment) -> list[Found]:
        """The lines that fit. One whose blob is gone has a line that says so."""
        text = self._text(segment)
        if text is not None:
            found = list(self._narrowed(text))
        elif self._wanted.narrows_lines:
            found = []
        else:
            self._gone.add((segment.attempt, segment.number))
            at = int(segment.from_at.timestamp() * 1000)
            words = _missing(segment.lines, "is not in the blob store any more")
            found = [(0, Line(at, "log", 0, words))]
        self._counts[segment.attempt, segment.number] = len(found)
        return found

    def _shown(self, segment: Segment, chunk: list[Found], around: int) -> list[LogLine]:
        """The lines, with the mark of a cut before them, and with what is around each."""
        hits = {number for number, _ in chunk}
        if chunk and around and self._wanted.narrows_lines:
            lines = lines_of(self._text(segment) or "")
            near = {n + d for n in hits for d in range(-around, around + 1)}
            chunk = [(n, lines[n]) for n in sorted(near) if 0 <= n < len(lines)]
        shown = [_line(segment, n, one, match=n in hits) for n, one in chunk]
        if (segment.attempt, segment.number) in self._gone:
            shown = [one.model_copy(update={"cut": segment.lines}) for one in shown]
        gap = self._gaps.get((segment.attempt, segment.number))
        if gap is None or not chunk or chunk[0][0] != 0:
            return shown
        words = Line(0, "log", 0, _missing(gap, "was cut: a log is kept so long and no longer"))
        mark = _line(segment, -gap, words, match=True)
        return [mark.model_copy(update={"cut": gap, "at": segment.from_at}), *shown]

    def _text(self, segment: Segment) -> str | None:
        try:
            return text_of(self._conn, self._store, segment)
        except BlobMissing:
            return None

    def _narrowed(self, text: str) -> Iterator[Found]:
        """Number within the segment, and line, of those that fit."""
        if self._needle is None:
            yield from self._fitting(enumerate(lines_of(text)))
            return
        small = text.lower()
        if self._needle in small:
            raw, needle = text.split("\n"), self._needle
            hits = (n for n, one in enumerate(small.split("\n")) if needle in one)
            yield from self._fitting((n, read(raw[n])) for n in hits)

    def _fitting(self, lines: Iterable[Found]) -> Iterator[Found]:
        wanted = self._wanted
        low = 0 if wanted.level is None else wanted.level.number
        since = 0 if wanted.since is None else int(wanted.since.timestamp() * 1000)
        words = "" if wanted.text is None else wanted.text.lower()
        for number, line in lines:
            if line.level >= low and line.at >= since and words in _searched(line):
                yield number, line

    # -- the page --------------------------------------------------------------

    def _page(self, items: list[LogLine], end: Place, limit: int) -> LogPage:
        matches, complete = self._count()
        first = _of(items[0]) if items else None
        return LogPage(
            items=items,
            next=encoded([end.attempt, end.line]),
            previous=None if first is None else encoded([first.attempt, first.line]),
            matches=matches,
            complete=complete,
            limited_to=limit,
            as_of=clock.now(),
        )

    def _count(self) -> tuple[int, bool]:
        """Of all that is wanted; what an index row tells is not counted."""
        if not self._wanted.narrows_lines:
            return sum(one.lines for one in self._segments), True
        ends = time.monotonic() + BUDGET
        for segment in self._segments:
            if (segment.attempt, segment.number) not in self._counts:
                if time.monotonic() > ends:
                    return sum(self._counts.values()), False
                self._matching(segment)
        return sum(self._counts.values()), True

    def _behind(self, items: list[LogLine], start: Place) -> Place:
        """Behind all that was looked at, so that nothing of it is looked at again."""
        end = Place(self._end.attempt, self._end.line - 1)
        return max(end, start, _last(items, start))


def as_text(line: LogLine) -> str:
    """A line for people, with its end: time, operation, level and text."""
    stamp = line.at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{line.at.microsecond // 1000:03d}Z"
    level = f" {line.level.upper()}" if line.level else ""
    where = f" {line.operation}" if line.operation else ""
    return f"{stamp}{where}{level} {line.text}\n"


def _is_whole(wanted: Wanted) -> bool:
    return not wanted.narrows_lines and wanted.operation is None and wanted.execution is None


def _gaps(segments: list[Segment]) -> dict[tuple[int, int], int]:
    """Before which segments lines were cut, and how many."""
    ends: dict[int, int] = {}
    found = {}
    for one in segments:
        missing = one.first_line - ends.get(one.attempt, 0)
        if missing > 0:
            found[one.attempt, one.number] = missing
        ends[one.attempt] = one.end
    return found


def _escaped(text: str) -> str:
    """As it stands in a segment's text, in small letters."""
    return json.dumps(text.lower(), ensure_ascii=False)[1:-1]


def _searched(line: Line) -> str:
    """What a search looks at: the text, and the values of fields."""
    fields = " ".join(str(value) for value in line.fields.values())
    return f"{line.text} {fields}".lower() if fields else line.text.lower()


def _line(segment: Segment, number: int, line: Line, *, match: bool) -> LogLine:
    return LogLine(
        attempt=segment.attempt,
        line=segment.first_line + number,
        at=instant(line.at),
        operation=segment.operation,
        execution=segment.execution,
        stream=line.stream,
        level=level_of(line.level),
        text=line.text,
        fields=dict(line.fields),
        match=match,
    )


def _missing(count: int, why: str) -> str:
    return f"... {count:,} line{'s' if count > 1 else ''} are missing: what was here {why} ..."


def _last(items: list[LogLine], start: Place) -> Place:
    return _of(items[-1]) if items else start


def _of(line: LogLine) -> Place:
    return Place(line.attempt, line.line)
