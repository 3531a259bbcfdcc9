"""State in a dictionary or a JSON file, reports as files, committed with the settlement (R38)."""

from __future__ import annotations

import json
import mimetypes
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from stepwell.clock import now
from stepwell.errors import SetupError
from stepwell.ids import new_id
from stepwell.outcome import Settlement, Verdict
from stepwell.step import Claim, EndedAs
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Transaction
from stepwell.workflows.context import Versioned, Write
from stepwell.workflows.errors import StateConflict
from stepwell.workflows.messages import Effects
from stepwell.workflows.references import FORMAT, may_refer
from stepwell.workflows.reports import Report


class StateFileBroken(SetupError):
    """The file that keeps local state cannot be read."""

    code = "state-file-broken"


@dataclass(frozen=True, slots=True)
class Entry:
    """A state entry. A deleted one keeps its version, so that it never comes back."""

    value: Any
    version: int
    expires_at: datetime | None = None
    deleted: bool = False

    @property
    def is_there(self) -> bool:
        """Whether it reads as present."""
        return not self.deleted and (self.expires_at is None or self.expires_at > now())


class LocalBackend:
    """State and reports of runs on this machine.

    Parameters
    ----------
    reports_dir : a folder; made with the first report.
    state_file : a JSON file; without one, state ends with the process.
    """

    def __init__(self, reports_dir: Path, state_file: Path | None = None) -> None:
        self.reports: list[Path] = []
        self._reports_dir = reports_dir
        self._state_file = state_file
        self._entries = {} if state_file is None else _loaded(state_file)
        self._staged: dict[Claim, Effects] = {}
        self._on_failure: dict[Claim, dict[str, Report]] = {}
        self._blobs: dict[UUID | None, bytes] = {}

    def read(self, scope: str, key: str, operation: str = "") -> Versioned | None:
        """The committed entry, or None."""
        entry = self._entries.get((scope, key))
        return Versioned(entry.value, entry.version) if entry and entry.is_there else None

    def keys(self, scope: str, prefix: str) -> list[str]:
        """The keys of committed entries that begin so, in order."""
        there = (place for place, entry in self._entries.items() if entry.is_there)
        return sorted(key for one, key in there if one == scope and key.startswith(prefix))

    def write_now(self, claim: Claim, write: Write) -> None:
        """Commit a change at once."""
        self._check(write)
        self._apply([write])

    def stage(self, claim: Claim, effects: Effects) -> None:
        """Keep what commits with the settlement of this claim."""
        self._staged[claim] = effects

    def report(self, claim: Claim, report: Report) -> None:
        """Keep a report for the case that this claim ends badly."""
        self._on_failure.setdefault(claim, {})[report.name] = report

    def keep(self, content: bytes) -> UUID:
        """Keep bytes while the process lives."""
        blob_id = new_id()
        self._blobs[blob_id] = content
        return blob_id

    def fetch(self, blob_id: UUID) -> bytes:
        """The bytes again."""
        return self._blobs[blob_id]

    def refers(self, settlement: Settlement) -> Settlement:
        """The settlement, whose result has the format of a reference if it is one."""
        known = may_refer(settlement.result) in self._blobs
        return replace(settlement, result_format=FORMAT) if known else settlement

    def progress(self, claim: Claim, done: float, total: float | None, note: str) -> None:
        """Nobody looks here; the event tells it."""

    def check(self, claim: Claim) -> None:
        """Whether what is staged can be committed; raises `StateConflict`."""
        for write in self._staged.get(claim, Effects()).writes:
            self._check(write)

    def commit(self, claim: Claim) -> None:
        """Make what is staged under the claim real."""
        effects = self._staged.pop(claim, Effects())
        self._on_failure.pop(claim, None)
        self._apply(effects.writes)
        for report in effects.reports:
            self.reports.append(self._write_report(report))

    def drop(self, claim: Claim) -> None:
        """Forget what is staged under the claim, but for what is kept on failure."""
        self._staged.pop(claim, None)
        for report in self._on_failure.pop(claim, {}).values():
            self.reports.append(self._write_report(report))

    def _check(self, write: Write) -> None:
        found = self.read(write.scope, write.key)
        version = 0 if found is None else found.version
        if write.expect_version is not None and write.expect_version != version:
            raise StateConflict(
                f"The state {write.key!r} ({write.scope}) has version {version} "
                f"and not {write.expect_version}.",
                why="Something else has changed it since it was read."
                if version
                else "It is not there.",
                fix="Read it again and save anew; with retries= the next attempt does so.",
            )

    def _apply(self, writes: Sequence[Write]) -> None:
        for write in writes:
            place = (write.scope, write.key)
            before = self._entries.get(place)
            expires = None if write.ttl is None else now() + timedelta(seconds=write.ttl)
            version = 1 if before is None else before.version + 1
            self._entries[place] = Entry(write.value, version, expires, write.delete)
        if writes and self._state_file is not None:
            _save(self._state_file, self._entries)

    def _write_report(self, report: Report) -> Path:
        self._reports_dir.mkdir(parents=True, exist_ok=True)
        path = self._reports_dir / file_name(report)
        path.write_bytes(report.content)
        return path


class LocalStore(MemoryStore):
    """Steps in memory, whose settlements commit what was staged under their claims."""

    def __init__(self, backend: LocalBackend) -> None:
        super().__init__()
        self._backend = backend

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """The verbs; see `MemoryStore`."""
        with super().transaction() as tx:
            yield _Committing(cast(Transaction, tx), self._backend)


class _Committing:
    """A transaction whose `settle` takes state and reports with it."""

    def __init__(self, tx: Transaction, backend: LocalBackend) -> None:
        self._tx = tx
        self._backend = backend

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._tx, verb)

    def settle(self, engine_id: UUID, settlements: Sequence[Settlement]) -> list[Verdict]:
        """Refuse a stale `expect_version` as a failed attempt; commit what ended well."""
        for one in settlements:
            if one.ended_as is EndedAs.DONE:
                self._backend.check(one.claim)
        referring = [self._backend.refers(one) for one in settlements]
        verdicts = self._tx.settle(engine_id, referring)
        for one, verdict in zip(settlements, verdicts, strict=True):
            good = verdict is Verdict.APPLIED and one.ended_as is EndedAs.DONE
            (self._backend.commit if good else self._backend.drop)(one.claim)
        return verdicts


def file_name(report: Report) -> str:
    """A safe file name for a report, with the extension of its type."""
    safe = re.sub(r"[^\w.-]+", "-", report.name).strip(".-") or "report"
    known = {"text/markdown": ".md", "application/octet-stream": ""}
    guessed = mimetypes.guess_extension(report.media_type) or ""
    extension = known.get(report.media_type, guessed)
    return safe if not extension or safe.endswith(extension) else safe + extension


def _loaded(path: Path) -> dict[tuple[str, str], Entry]:
    if not path.exists():
        return {}
    try:
        rows = json.loads(path.read_text())["entries"]
        return {(row["scope"], row["key"]): _entry(row) for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StateFileBroken(
            f"The state file {path} cannot be read.",
            why=f"{type(error).__name__}: {error}.",
            fix="Mend it, or move it away to begin without state.",
        ) from error


def _entry(row: dict[str, Any]) -> Entry:
    expires = row["expires_at"] and datetime.fromisoformat(row["expires_at"])
    return Entry(row["value"], row["version"], expires, row["deleted"])


def _save(path: Path, entries: dict[tuple[str, str], Entry]) -> None:
    """Written beside and moved into place, so that a kill leaves the old file whole."""
    rows = [
        {
            "scope": scope,
            "key": key,
            "value": entry.value,
            "version": entry.version,
            "expires_at": None if entry.expires_at is None else entry.expires_at.isoformat(),
            "deleted": entry.deleted,
        }
        for (scope, key), entry in sorted(entries.items())
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(json.dumps({"entries": rows}, indent=1, ensure_ascii=False) + "\n")
    os.replace(beside, path)  # noqa: PTH105 - the same, and it says what it does
