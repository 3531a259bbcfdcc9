"""The address of a database, as arguments of the driver."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from stepwell.errors import SetupError

_TEXTS: Final = ("unix_socket", "ssl_ca", "ssl_cert", "ssl_key", "ssl_key_password")
_SWITCHES: Final = ("ssl_disabled", "ssl_verify_cert", "ssl_verify_identity")


def arguments(url: str) -> dict[str, Any]:
    """What the driver's `connect` is given for `mysql://user:password@host:port/database`.

    Raises
    ------
    SetupError : the address names no database, or has a parameter that is not known.
    """
    try:
        parts = urlsplit(url)
        place = {"host": parts.hostname, "port": parts.port}
    except ValueError as error:
        raise _unreadable(str(error)) from error
    database = unquote(parts.path.removeprefix("/"))
    if not database:
        raise _unreadable("It names no database.")
    given = {
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or "").encode(),
        "database": database,
        **place,
        **dict(_parameter(*pair) for pair in parse_qsl(parts.query)),
    }
    return {name: value for name, value in given.items() if value}


def _parameter(name: str, value: str) -> tuple[str, Any]:
    if name in _TEXTS:
        return name, value
    if name in _SWITCHES:
        return name, value.lower() in ("1", "true", "yes")
    raise _unreadable(f"The parameter {name!r} is not known; there are {_KNOWN}.")


_KNOWN: Final = ", ".join(_TEXTS + _SWITCHES)


def _unreadable(why: str) -> SetupError:
    return SetupError(
        "The address of the MySQL store cannot be used.",
        why=why,
        fix="Write mysql://user:password@host:3306/database.",
    )
