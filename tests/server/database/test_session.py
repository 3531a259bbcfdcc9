"""One database: transactions, the store on the same connection, and migrations."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select, text
from tests.server.support import on_both

from stepwell import clock
from stepwell.engine import StepClient
from stepwell.errors import SchemaMissing, SchemaTooNew, SetupError, StoreUnavailable
from stepwell.server.app import Server
from stepwell.server.audit import service as audit
from stepwell.server.database import schema, tables
from stepwell.server.database.session import Database
from stepwell.server.settings import Settings
from stepwell.step import new_step


@on_both
def test_rows_of_the_server_and_steps_commit_together_or_not_at_all(db: Database) -> None:
    """R27: SQLAlchemy opens the transaction and lends its connection to the store."""
    steps = StepClient(db.store)

    def act(*, fails: bool) -> None:
        with db.write() as conn:
            db.client(conn).add(new_step("a"))
            audit.record(conn, "me", "thing.do", "x")
            assert not fails

    with pytest.raises(AssertionError):
        act(fails=True)
    with db.read() as conn:
        assert conn.execute(select(tables.audit)).all() == []
    assert steps.count().ready == 0
    act(fails=False)
    with db.read() as conn:
        assert len(conn.execute(select(tables.audit)).all()) == 1
    assert steps.count().ready == 1


def test_the_files_of_the_migrations_are_named_by_their_order() -> None:
    """So that a server need not ask Alembic which of them it knows."""
    config = Config()
    config.set_main_option("script_location", "stepwell.server.database:migrations")
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    assert schema.known() == [one.revision for one in scripts][::-1]


def test_a_server_that_has_nothing_to_migrate_is_without_alembic(tmp_path: Path) -> None:
    code = f"""
import sys
from stepwell.cli.serving.hosting import migrate_apart
from stepwell.server.app import Server
from stepwell.server.settings import Settings
from pathlib import Path
settings = Settings.for_dev(Path({str(tmp_path)!r}))
migrate_apart(settings)
with Server(settings):
    print("alembic" in sys.modules)
"""
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=90, check=True
    )
    assert said.stdout == "False\n"


@on_both
def test_the_migrations_make_exactly_the_tables_that_the_code_expects(db: Database) -> None:
    with db.read() as conn:
        options = {"compare_type": True, "include_name": _is_ours}
        context = MigrationContext.configure(conn, opts=options)
        assert compare_metadata(context, tables.metadata) == []


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name in tables.metadata.tables


@on_both
def test_migrating_again_changes_nothing(db: Database) -> None:
    assert db.migrate() == []


@on_both
def test_the_migrations_name_what_they_applied(database_url: str) -> None:
    db = Database(database_url)
    applied = db.migrate()
    assert "0001" in applied
    db.close()


@on_both
def test_the_servers_migrations_can_be_printed_without_touching_the_database(
    database_url: str,
) -> None:
    db = Database(database_url)
    sql = db.migration_sql()
    assert sql.count("CREATE TABLE") == len(tables.metadata.tables) + 1
    with pytest.raises(SchemaMissing):
        db.open()
    db.close()


@on_both
def test_a_server_on_a_database_that_was_not_migrated_says_which_command_to_run(
    database_url: str, tmp_path: Path
) -> None:
    """R44: nothing makes or alters tables unasked."""
    server = Server(Settings(data_dir=tmp_path, database_url=database_url))
    with pytest.raises(SchemaMissing) as caught:
        server.start()
    assert "stepwell migrate" in caught.value.fix
    server.db.close()


def test_the_servers_half_alone_is_missed_too(database_url: str) -> None:
    db = Database(database_url)
    db.store.migrate()
    with pytest.raises(SchemaMissing) as caught:
        db.open()
    assert "The server's tables" in caught.value.what
    db.close()


def made_newer(db: Database, floor: str) -> None:
    with db.write() as conn:
        conn.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))
        conn.execute(tables.schema_floor.update().values(revision=floor))


@on_both
def test_tables_of_a_newer_version_that_do_not_suit_this_one_are_refused(db: Database) -> None:
    made_newer(db, floor="9998")
    with pytest.raises(SchemaTooNew):
        db.open()
    with pytest.raises(SchemaTooNew):
        db.migrate()


@on_both
def test_tables_to_which_a_newer_version_has_only_added_are_good_enough(db: Database) -> None:
    """So the version before goes on, and starts again, while servers are exchanged."""
    made_newer(db, floor="0001")
    db.open()
    assert db.migrate() == []


def test_without_a_floor_a_newer_version_is_refused(db: Database) -> None:
    made_newer(db, floor="0001")
    with db.write() as conn:
        conn.execute(text("DROP TABLE schema_floor"))
    with pytest.raises(SchemaTooNew):
        db.open()


@pytest.mark.parametrize("url", ["mysql://x/y", "not a url", "memory://"])
def test_an_address_of_another_kind_says_what_can_be_used(url: str) -> None:
    with pytest.raises(SetupError) as caught:
        Database(url)
    assert "postgresql://" in caught.value.fix


def test_a_database_that_cannot_be_reached_is_a_pause_and_no_traceback() -> None:
    db = Database("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(StoreUnavailable), db.read():
        pass


def test_a_full_disk_is_called_so_and_is_over_when_there_is_room(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'x.db'}")
    db.migrate()

    def write(pages: int) -> None:
        with db.write() as conn:
            conn.exec_driver_sql(f"PRAGMA max_page_count={pages}")
            audit.record(conn, "me", "thing.do", "x", "y" * 100_000)

    with pytest.raises(StoreUnavailable, match="The disk of the database is full") as caught:
        write(1)
    assert caught.value.why == "database or disk is full"
    assert caught.value.fix.startswith("Make room")
    write(10_000)
    db.close()


@on_both
def test_writers_of_one_row_wait_for_each_other(db: Database) -> None:
    """Eight threads raise one number fifty times in all, and none is lost."""
    now = clock.now()
    key = {"caller": "x", "key": "y"}
    with db.write() as conn:
        conn.execute(
            tables.answers.insert().values(**key, request_hash="0", answer=0, created_at=now)
        )

    def raise_it() -> None:
        for _ in range(5):
            with db.write() as conn:
                row = conn.execute(select(tables.answers).with_for_update()).one()
                raised = int(row.request_hash) + 1
                conn.execute(tables.answers.update().values(request_hash=str(raised)))

    threads = [threading.Thread(target=raise_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    with db.read() as conn:
        assert conn.execute(select(tables.answers.c.request_hash)).scalar_one() == "40"


def test_instants_come_back_aware_and_in_utc_and_sort_as_text(db: Database) -> None:
    with db.write() as conn:
        audit.record(conn, "me", "thing.do", "x")
    with db.read() as conn:
        kept = conn.execute(text("SELECT at FROM audit")).scalar_one()
        at = conn.execute(select(tables.audit.c.at)).scalar_one()
    assert (len(kept), kept[-1]) == (27, "Z")
    assert at.utcoffset().total_seconds() == 0


@on_both
def test_servers_that_migrate_at_once_do_not_fail_each_other(database_url: str) -> None:
    applied: list[str] = []
    errors: list[Exception] = []

    def migrate() -> None:
        db = Database(database_url)
        try:
            applied.extend(db.migrate())
        except Exception as error:
            errors.append(error)
        finally:
            db.close()

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert errors == []
    assert applied.count("0001") == 1


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_connections_that_the_database_has_closed_are_exchanged_unseen(db: Database) -> None:
    """As after its restart: nobody is told of a connection that had died before it was asked."""
    with db.read() as one, db.read() as other:
        pids = [conn.execute(text("SELECT pg_backend_pid()")).scalar_one() for conn in (one, other)]
    with psycopg.connect(db.url.set(drivername="postgresql").render_as_string(False)) as admin:
        for pid in pids:
            admin.execute("SELECT pg_terminate_backend(%s, 60000)", (pid,))
    with db.write() as one, db.write() as other:
        for conn in (one, other):
            assert conn.execute(text("SELECT pg_backend_pid()")).scalar_one() not in pids


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_line_that_was_cut_silently_is_noticed_by_the_system(database_url: str) -> None:
    """So within seconds such a connection counts as closed; the address may say otherwise."""
    db = Database(f"{database_url}&keepalives_idle=7")
    with db.read() as conn:
        given = conn.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
    db.close()
    assert (given["keepalives_idle"], given["keepalives_interval"]) == ("7", "5")
    assert given["tcp_user_timeout"] == "20000"
