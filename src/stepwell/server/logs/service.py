"""Take in what runs write, keep it within its size, and close it when a container has ended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.server.blobs import service as blobs
from stepwell.server.blobs.service import BlobMissing, BlobStore, BlobStoreUnavailable, Kind
from stepwell.server.logs import queries
from stepwell.server.logs.records import Piece, Segment, instant
from stepwell.server.services import Services
from stepwell.workflows.lines import (
    LONGEST,
    SEGMENT,
    Line,
    joined,
    lines_of,
    packed,
    rendered,
    unpacked,
)

_CUT: Final = re.compile(r"\n\.\.\. [\d,]+ bytes were cut here \.\.\.\n")
_PROOF: Final = 2000
"""So many characters must agree where the launcher's output is joined to what was sent."""


def take(services: Services, run_id: UUID, attempt: int, piece: Piece, content: bytes) -> None:
    """Keep a segment, or what it has grown to. Opens its own transaction.

    One that is closed goes to the blob store first; one that still grows stays in its row.

    Raises
    ------
    SegmentInvalid : not lines, or too many.
    BlobStoreUnavailable : nothing was kept; send it again.
    """
    values = _described(run_id, attempt, piece, lines_of(unpacked(content)), content)
    if not values["lines"]:
        return
    blob_id = blobs.upload(services.blobs, content) if piece.closed else None
    with services.db.write() as conn:
        if _enter(conn, values, blob_id, len(content)):
            _trim(conn, run_id, services.settings.log_bytes_per_run)


def complete(services: Services, run_id: UUID, attempt: int, output: str) -> None:
    """Append what the launcher has and the container could not send any more.

    Called when the container has ended; once more changes nothing.
    """
    while not _completed(services, run_id, attempt, output):
        pass


def _completed(services: Services, run_id: UUID, attempt: int, output: str) -> bool:
    """False where a piece that was on its way came in meanwhile: the rest is another now."""
    with services.db.read() as conn:
        last = queries.last(conn, run_id, attempt)
        sent = [] if last is None else _sent(conn, services.blobs, last)
    rest = beyond(output, last.written if last else 0, sent)
    if not rest:
        return True
    with services.db.write() as conn:
        if queries.last(conn, run_id, attempt) != last:
            return False
        if last is not None:  # a piece that is on its way still would say the rest again
            queries.close(conn, last)
        _append(conn, _after(run_id, attempt, last), rest, len(output.encode()))
        _trim(conn, run_id, services.settings.log_bytes_per_run)
    return True


def text_of(conn: Connection, store: BlobStore, of: Segment) -> str:
    """The text of a segment, wherever it is; raises `BlobMissing`, `BlobStoreUnavailable`."""
    content = queries.content(conn, of)
    if content is None:
        now = queries.get(conn, of.run_id, of.attempt, of.number)  # it may have been moved
        if now is None or now.blob_id is None:
            return ""
        content = store.get(now.blob_id)
    return unpacked(content)


def drop_of_runs(conn: Connection, run_ids: Sequence[UUID]) -> None:
    """Remove the logs of runs, in the transaction that lets go of their blobs."""
    queries.remove_of_runs(conn, run_ids)


def remove(conn: Connection, rows: Sequence[RowMapping]) -> None:
    """Remove segments by their rows: run_id, attempt, number, blob_id."""
    blobs.drop(conn, [row["blob_id"] for row in rows if row["blob_id"] is not None])
    queries.remove(conn, [(row["run_id"], row["attempt"], row["number"]) for row in rows])


def move(services: Services, before: datetime, limit: int) -> int:
    """Move content from rows to the blob store that was last added to before then; how much.

    Raises
    ------
    BlobStoreUnavailable : some may have been moved.
    """
    with services.db.read() as conn:
        found = queries.inline(conn, before, limit)
        contents = [(one, queries.content(conn, one)) for one in found]
    for segment, content in contents:
        if content is not None:
            blob_id = blobs.upload(services.blobs, content)
            with services.db.write() as conn:
                if queries.move(conn, segment, blob_id):
                    blobs.enter(conn, blob_id, Kind.LOG, len(content), segment.run_id)
    return len(found)


def beyond(output: str, written: int, sent: Sequence[Line]) -> str:
    """What a launcher's output has beyond the lines that were sent.

    Parameters
    ----------
    output : head and tail, where it was too much.
    written : bytes of output that had been written with the last line that was sent.
    sent : the last lines that were sent.
    """
    data = output.encode()
    if not sent:
        return data[written:].decode(errors="replace")
    proof = rendered(sent[-1])[-_PROOF:]
    if data[:written].decode(errors="replace").rstrip("\n").endswith(proof):
        return data[written:].decode(errors="replace")
    end = "\n".join(rendered(one) for one in sent[-4:])[-_PROOF:]
    found = output.rfind(end)
    if found >= 0:
        return output[found + len(end) :].removeprefix("\n")
    return output[cut.start() + 1 :] if (cut := _CUT.search(output)) else ""


def _sent(conn: Connection, store: BlobStore, last: Segment) -> list[Line]:
    """The lines of the last segment; none where the blob store is away: a run must not wait."""
    try:
        return lines_of(text_of(conn, store, last))
    except (BlobMissing, BlobStoreUnavailable):
        return []


def _described(
    run_id: UUID, attempt: int, piece: Piece, lines: list[Line], content: bytes
) -> dict[str, Any]:
    """The index row; what can be counted is counted here."""
    times = [one.at for one in lines] or [0]
    return {
        "run_id": run_id,
        "attempt": attempt,
        "number": piece.segment,
        "operation": piece.operation,
        "execution": piece.execution,
        "first_line": piece.first_line,
        "lines": len(lines),
        "size": sum(len(one.text.encode(errors="replace")) + 1 for one in lines),
        "levels": max((one.level for one in lines), default=0),
        "from_at": instant(min(times)),
        "until_at": instant(max(times)),
        "written": piece.written,
        "closed": piece.closed,
        "content": content,
        "blob_id": None,
    }


def _enter(conn: Connection, values: dict[str, Any], blob_id: UUID | None, size: int) -> bool:
    """False where more of the segment is kept already: an older piece came late."""
    known = queries.get(conn, values["run_id"], values["attempt"], values["number"])
    if known is not None and (known.closed or known.lines > values["lines"]):
        return False
    if blob_id is not None:
        blobs.enter(conn, blob_id, Kind.LOG, size, values["run_id"])
        values = {**values, "blob_id": blob_id, "content": None}
    queries.put(conn, known is not None, **values)
    return True


def _after(run_id: UUID, attempt: int, last: Segment | None) -> Segment:
    """An empty segment that follows the last one, of the same operation."""
    now = clock.now()
    return Segment(
        run_id=run_id,
        attempt=attempt,
        number=0 if last is None else last.number + 1,
        operation=None if last is None else last.operation,
        execution=None if last is None else last.execution,
        first_line=0 if last is None else last.end,
        lines=0,
        size=0,
        levels=0,
        from_at=now,
        until_at=now,
        written=0,
        closed=True,
        blob_id=None,
    )


def _append(conn: Connection, at: Segment, text: str, written: int) -> None:
    """Lines of plain output as closed segments; the sweep moves them to the blob store."""
    now = int(at.from_at.timestamp() * 1000)
    lines = [Line(now, "stdout", 0, one) for one in text.removesuffix("\n").split("\n")]
    number, first = at.number, at.first_line
    for some in _in_segments(lines):
        piece = Piece(
            segment=number,
            first_line=first,
            operation=at.operation,
            execution=at.execution,
            written=written,
            closed=True,
        )
        content = packed(joined(some))
        queries.put(conn, False, **_described(at.run_id, at.attempt, piece, some, content))
        number, first = number + 1, first + len(some)


def _in_segments(lines: list[Line]) -> Iterator[list[Line]]:
    some: list[Line] = []
    size = 0
    for line in (short for long in lines for short in _parts(long)):
        some.append(line)
        size += len(line.text.encode(errors="replace"))
        if size >= SEGMENT:
            yield some
            some, size = [], 0
    if some:
        yield some


def _parts(line: Line) -> Iterator[Line]:
    """A line that is too long in several."""
    for start in range(0, len(line.text) or 1, LONGEST):
        yield replace(line, text=line.text[start : start + LONGEST])


def _trim(conn: Connection, run_id: UUID, most: int) -> None:
    """Keep the head and the tail: what goes is what follows the head, but never the newest."""
    excess = queries.size(conn, run_id) - most
    if excess <= 0:
        return
    before, gone = 0, []
    for row in queries.kept(conn, run_id)[:-1]:
        before += row["size"]
        if before > most // 2 and excess > 0:
            gone.append(row)
            excess -= row["size"]
    remove(conn, gone)
