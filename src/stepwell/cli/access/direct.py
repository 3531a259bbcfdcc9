"""What is written to the database without a server: whoever can do that needs no leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from stepwell.cli.serving.places import make_folder
from stepwell.errors import InvalidInput
from stepwell.server.access import service, users
from stepwell.server.access.records import NewToken, NewUser
from stepwell.server.database.session import Database
from stepwell.server.settings import Settings


def issue_token(asked: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A token.

    Raises
    ------
    SchemaMissing : the database was not migrated.
    InvalidInput : a name or role that cannot be.
    """
    new = _checked(NewToken, asked)
    with _opened(given) as (database, _), database.write() as conn:
        issued = service.issue(conn, new, by="stepwell tokens create")
    return issued.model_dump(mode="json")


def create_user(asked: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A user, and the one-time link to set the password.

    Raises
    ------
    SchemaMissing, InvalidInput, UserNameTaken
    """
    new = _checked(NewUser, asked)
    with _opened(given) as (database, settings), database.write() as conn:
        made = users.invite(conn, settings, new, by="stepwell users create")
    return made.model_dump(mode="json")


@contextmanager
def _opened(given: Mapping[str, Any]) -> Iterator[tuple[Database, Settings]]:
    settings = Settings.from_environment(**given)
    make_folder(settings.data_dir)
    database = Database(settings.database)
    try:
        database.open()
        yield database, settings
    finally:
        database.close()


def _checked(kind: Any, asked: Mapping[str, Any]) -> Any:
    try:
        return kind.model_validate(asked)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInput(
            f"The {first['loc'][0]} cannot be used.",
            why=f"{first['msg']}.",
            fix="Roles are viewer, operator, reviewer, admin; a name is letters, digits, . _ @ -",
        ) from error
