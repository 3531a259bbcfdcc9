"""What `backup` and `restore` do, once it is known that the packages are there."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from stepwell.errors import Conflict, NotFound, NotSupported, SetupError
from stepwell.server.access import service as access
from stepwell.server.database.session import Database
from stepwell.server.settings import Settings


class CopyBroken(SetupError):
    """A copy that is no whole database."""

    code = "setup-copy"


def copy_out(given: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Copy the database into a new file; whole, or not at all.

    Raises
    ------
    NotSupported : the database is no SQLite file; `fix` has the command.
    NotFound, Conflict, CopyBroken
    """
    source = _sqlite(given, "pg_dump --format=custom --file={file} {url}", file)
    if not source.exists():
        raise NotFound(f"There is no database {source}.", fix="Give --database or --data-dir.")
    if file.exists():
        raise Conflict(f"{file} exists.", fix="Name a new file.")
    _copy(source, file)
    return {"file": str(file), "bytes": file.stat().st_size}


def copy_in(given: Mapping[str, Any], file: Path, *, replace: bool) -> None:
    """Put a copy in the place of the database.

    Raises
    ------
    NotSupported, NotFound, CopyBroken
    Conflict : there is a database, and nobody said to replace it; or it is in use.
    """
    target = _sqlite(given, "pg_restore --clean --if-exists --dbname={url} {file}", file)
    if not file.exists():
        raise NotFound(f"There is no file {file}.", fix="Name a copy of `stepwell backup`.")
    if target.exists():
        _refuse_unless(target, replace)
    target.parent.mkdir(parents=True, exist_ok=True)
    _copy(file, target)


def after_restore(given: Mapping[str, Any]) -> dict[str, Any]:
    """End what may have been ended after the copy was made; the log says so."""
    database = Database(Settings.from_environment(**given).database)
    try:
        database.open()
        with database.write() as conn:
            return access.restored(conn, by="stepwell restore")
    finally:
        database.close()


def _refuse_unless(target: Path, replace: bool) -> None:
    if not replace:
        raise Conflict(
            f"There is a database {target}.",
            why="It would be replaced by the copy.",
            fix="Move it away, or say --replace.",
        )
    with closing(sqlite3.connect(target, isolation_level=None, timeout=1)) as conn:
        try:
            conn.execute("PRAGMA locking_mode = EXCLUSIVE").close()
            conn.execute("BEGIN EXCLUSIVE").close()
            conn.execute("ROLLBACK").close()
        except sqlite3.OperationalError as error:
            raise Conflict(
                f"{target} is in use.",
                why=str(error),
                fix="Stop every `stepwell serve` and `stepwell work` first.",
            ) from error
        except sqlite3.DatabaseError:
            pass  # broken: that is why it is being replaced


def _copy(source: Path, target: Path) -> None:
    """Into a draft beside the target, checked, then renamed: no half of it is ever there."""
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    os.close(handle)
    try:
        with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(draft)) as other:
            # All pages at once: between two times a write would begin the copy anew. Who writes
            # does not wait for who reads.
            one.backup(other)
            _check(other, source)
        _sync(Path(draft))
        for rest in ("-wal", "-shm"):  # of the database that was there: the copy has none
            target.with_name(target.name + rest).unlink(missing_ok=True)
        Path(draft).replace(target)
    except sqlite3.Error as error:
        fix = f"See whether the disk of {target.parent} is full, or read-only."
        raise CopyBroken(f"{source} cannot be copied.", why=str(error), fix=fix) from error
    finally:
        for rest in ("", "-wal", "-shm", "-journal"):
            Path(draft + rest).unlink(missing_ok=True)


def _check(conn: sqlite3.Connection, source: Path) -> None:
    conn.execute("PRAGMA journal_mode = DELETE").close()  # one file, which can be moved
    (found,) = conn.execute("PRAGMA integrity_check").fetchone()
    if found != "ok":
        raise CopyBroken(f"The copy of {source} is not whole.", why=str(found))


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sqlite(given: Mapping[str, Any], command: str, file: Path) -> Path:
    """The file of the database; raises `NotSupported` for PostgreSQL, with its command."""
    url = Database(Settings.from_environment(**given).database).url
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(url.database)
    plain = url.set(drivername="postgresql", password=None).render_as_string()
    raise NotSupported(
        "PostgreSQL is copied by its own tools.",
        fix=f"Run: {command.format(url=repr(plain), file=file)}",
    )
