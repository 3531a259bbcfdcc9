"""The steps' own tables: made in a store, or printed for people who run SQL themselves (R44)."""

from __future__ import annotations

from contextlib import closing
from urllib.parse import urlsplit

from stepwell.cli.render import Output
from stepwell.cli.serving.app_target import store_url
from stepwell.stores import open_store
from stepwell.stores.protocol import Migration
from stepwell.stores.sqlite.sql import MIGRATIONS as SQLITE


def migrate_store(out: Output, url: str, *, print_only: bool) -> None:
    """Create or upgrade the tables of a store, and say what was applied.

    Raises
    ------
    InvalidInput, SetupError, StoreUnavailable : nothing was changed.
    """
    store = open_store(store_url(url))
    if print_only:
        sql = steps_sql(urlsplit(url).scheme)
        out.answer({"sql": sql}, sql)
        return
    with closing(store):
        tell_applied(out, store.migrate())


def tell_applied(out: Output, applied: list[str]) -> None:
    """What a migration has done."""
    said = "\n".join(f"applied {one}" for one in applied) or "The tables are up to date."
    out.answer({"applied": applied}, said)


def steps_sql(scheme: str) -> str:
    """The steps' part of the schema, for an empty database of this kind, as one script; what
    follows the name of a migration upgrades a database that has those before it."""
    if scheme == "sqlite":
        return _sqlite()
    return _mysql() if scheme.startswith(("mysql", "mariadb")) else _postgres()


def _sqlite() -> str:
    # Text to print; the number is this package's own.
    version = f"INSERT OR REPLACE INTO stepwell_meta VALUES ('schema_version', '{len(SQLITE)}');"  # noqa: S608
    return f"PRAGMA journal_mode = WAL;\n\n{_joined(SQLITE)}\n{version}\n"


def _mysql() -> str:
    from stepwell.stores.mysql.sql import MIGRATIONS as MYSQL  # noqa: PLC0415 - read when needed

    # Text to print; the number is this package's own.
    version = f"REPLACE INTO stepwell_meta VALUES ('schema_version', '{len(MYSQL)}');"  # noqa: S608
    return f"{_joined(MYSQL)}\n{version}\n"


def _postgres() -> str:
    from stepwell.stores.postgres import schema  # noqa: PLC0415 - an optional driver

    made = schema.migrations()
    # Text to print; the numbers are this package's own.
    version = f"UPDATE stepwell_meta SET value = '{len(made)}' WHERE key = 'schema_version';"  # noqa: S608
    return f"{_joined(made)}\n{version}\nSELECT stepwell_make_partitions();\n"


def _joined(migrations: list[Migration] | tuple[Migration, ...]) -> str:
    return "\n".join(f"-- {one.name}\n{one.sql}" for one in migrations)
