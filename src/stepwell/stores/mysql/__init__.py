"""Steps in a MariaDB or MySQL database (R25)."""

from stepwell.stores.mysql.store import MySQLStore

__all__ = ["MySQLStore"]
