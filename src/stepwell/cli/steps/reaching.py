"""What a command works on that takes a store of one's own as well as a server."""

from __future__ import annotations

import os

from stepwell.cli.client import Client
from stepwell.cli.profile import NoServer
from stepwell.cli.serving.app_target import VARIABLE, store_url
from stepwell.cli.session import Session
from stepwell.errors import InvalidInput


def store_or_server(session: Session, store: str | None) -> str | Client:
    """The address of the store that --store or STEPWELL_STORE names, or else the server's API.

    Raises
    ------
    InvalidInput : both a store and a server are named, or no such store can be.
    NoServer : neither is.
    """
    if store and session.names_server:
        raise InvalidInput(
            "Both a store and a server are named.",
            fix="Give --store for a store of your own, or --url for a server.",
        )
    if store or (os.environ.get(VARIABLE) and not session.names_server):
        return store_url(store)
    try:
        return session.api
    except NoServer as error:
        error.what = "Neither a store nor a server is named."
        error.fix = "Give --store sqlite:///steps.db for a store, or --url for a server."
        raise
