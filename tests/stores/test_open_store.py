"""A store is named by its address."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from stepwell.errors import InvalidInput, SetupError
from stepwell.stores import MemoryStore, open_store
from stepwell.stores.addresses import Pooling, split_pooling
from stepwell.stores.mysql import MySQLStore
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.sqlite import SQLiteStore


def test_memory_is_a_store_without_a_place() -> None:
    assert isinstance(open_store("memory://"), MemoryStore)


def test_four_slashes_name_an_absolute_file(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/my%20steps.db")
    assert isinstance(store, SQLiteStore)
    store.migrate()
    assert (tmp_path / "my steps.db").exists()


def test_three_slashes_name_a_file_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///steps.db").migrate()
    assert (tmp_path / "steps.db").exists()


def test_opening_by_address_contacts_nothing(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/steps.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["", "steps.db", "oracle://host/db", "redis://host", "sqlite"])
def test_an_unknown_address_is_told_the_known_ones(url: str) -> None:
    with pytest.raises(InvalidInput, match="sqlite:///"):
        open_store(url)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_sqlite_needs_a_file(url: str) -> None:
    with pytest.raises(InvalidInput, match="names no file"):
        open_store(url)


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> None:
        raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")

    monkeypatch.setattr("stepwell.stores.import_module", missing)
    with pytest.raises(SetupError, match=r"stepwell\[postgres\]"):
        open_store("postgresql://localhost/steps")
    with pytest.raises(SetupError, match=r"stepwell\[mysql\]"):
        open_store("mysql://localhost/steps")


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"])
def test_mysql_and_mariadb_are_one_store(scheme: str) -> None:
    assert isinstance(open_store(f"{scheme}://app:secret@localhost/steps"), MySQLStore)


def test_a_pooler_and_the_address_for_notifications_are_parameters() -> None:
    direct = quote("postgresql://app:a%40b@db:5432/steps", safe="")
    url = f"postgresql://app@pool:6432/steps?sslmode=require&pooler=1&notify_url={direct}"
    address, pooling = split_pooling(url)
    assert address == "postgresql://app@pool:6432/steps?sslmode=require"
    assert pooling == Pooling(pooler=True, notify_url="postgresql://app:a%40b@db:5432/steps")
    assert isinstance(open_store(url), PostgresStore)


@pytest.mark.parametrize(
    "url", ["postgresql:///steps", "postgresql://pool/steps?host=%2Ftmp+x", "sqlite:///a.db"]
)
def test_an_address_without_a_pooler_is_left_as_it_is(url: str) -> None:
    assert split_pooling(url) == (url, Pooling())
    assert split_pooling(url + ("&" if "?" in url else "?") + "pooler=0") == (url, Pooling())
