"""What no group may be called, and what no group may be given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stepwell.errors import Denied, InvalidInput

OWN_NAMES: Final = frozenset({"server", "stepwell"})
"""Steps of these names, `v1/server/tick` for example, are the server's and the engine's own."""

OWN_VARIABLES: Final = "STEPWELL_"
"""Variables that begin so hold the secret key and the database's password."""


class GroupNameReserved(InvalidInput):
    """The name is the server's own."""

    code = "group-name-reserved"


class SecretDenied(Denied):
    """A group asks for a secret of the server itself."""

    code = "secret-denied"


def check_name(name: str) -> None:
    """Raise `GroupNameReserved` for a name under which the server has steps of its own.

    The authoring package refuses it too, but an image may post what it likes.
    """
    if name in OWN_NAMES:
        raise GroupNameReserved(
            f"No group can be called {name!r}.",
            why="Steps of that name are the server's own work.",
            fix="Choose another name.",
        )


def check_secrets(secrets: Mapping[str, str]) -> None:
    """Raise `SecretDenied` for a reference to a variable of the server itself.

    With the secret key an image could make the token of any run.
    """
    for name, reference in secrets.items():
        if reference.removeprefix("env:").upper().startswith(OWN_VARIABLES):
            raise SecretDenied(
                f"The secret {name} cannot be {reference!r}.",
                why=f"Variables that begin with {OWN_VARIABLES} are the server's own.",
                fix="Give the server a variable of another name for the group.",
            )
