"""Words for the tests of the MySQL store."""

from __future__ import annotations

from contextlib import closing
from typing import Any, Final

import pymysql

from stepwell.stores.mysql.address import arguments
from stepwell.testing.store_contract.base import sql

EMPTY: Final = (
    "DELETE FROM stepwell_ready",
    "DELETE FROM stepwell_done",
    "DELETE FROM stepwell_failed",
    "DELETE FROM stepwell_engines",
    "DELETE FROM stepwell_controls",
    "DROP TABLE IF EXISTS orders",
)


def connect(url: str, **more: Any) -> pymysql.Connection:
    """A connection with the driver's defaults."""
    return pymysql.connect(**arguments(url) | more)


def empty(url: str) -> None:
    """Take all rows away."""
    with closing(connect(url, autocommit=True)) as connection:
        for statement in EMPTY:
            sql(connection, statement)
