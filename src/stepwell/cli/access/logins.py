"""What `stepwell login` keeps: a token for each server, readable by its owner only."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stepwell.cli.profile import NoServer, Profile, read, resolve


def folder(environment: Mapping[str, str]) -> Path | None:
    """Where they are: STEPWELL_CONFIG, else below XDG_CONFIG_HOME or ~/.config; None: nowhere."""
    own, home = environment.get("STEPWELL_CONFIG"), environment.get("HOME")
    if own:
        return Path(own) / "logins"
    shared = environment.get("XDG_CONFIG_HOME") or (home and f"{home}/.config")
    return Path(shared) / "stepwell" / "logins" if shared else None


def keep(environment: Mapping[str, str], profile: Profile) -> Path | None:
    """Keep the token of a server in a file with mode 0600, in a folder with mode 0700."""
    place = folder(environment)
    if place is None:
        return None
    place.mkdir(parents=True, mode=0o700, exist_ok=True)
    path = place / _name(profile.url)
    handle, draft = tempfile.mkstemp(dir=place, prefix=".draft-")  # mode 0600
    with os.fdopen(handle, "w") as file:
        json.dump({"url": profile.url, "token": profile.token}, file)
    Path(draft).replace(path)
    return path


def of(environment: Mapping[str, str], url: str) -> Profile | None:
    """The login at this server; where no address is given, the newest of all."""
    place = folder(environment)
    if place is None or not place.is_dir():
        return None
    if url:
        path = place / _name(url)
        return read(path) if path.is_file() else None
    found = sorted(place.glob("*.json"), key=lambda one: one.stat().st_mtime)
    return read(found[-1]) if found else None


def with_login(
    url: str | None, token: str | None, environment: Mapping[str, str], start: Path
) -> Profile:
    """As `profile.resolve`; what that leaves open comes from `stepwell login`.

    Raises
    ------
    NoServer : nothing names a server.
    """
    try:
        found = resolve(url, token, environment, start)
    except NoServer:
        login = of(environment, "")
        if login is None:
            raise
        return replace(login, token=token or environment.get("STEPWELL_TOKEN") or login.token)
    if found.token:
        return found
    login = of(environment, found.url)
    return found if login is None else replace(found, token=login.token)


def forget(environment: Mapping[str, str], url: str) -> bool:
    """Remove the login at this server; whether there was one."""
    place = folder(environment)
    path = None if place is None else place / _name(url)
    if path is None or not path.is_file():
        return False
    path.unlink()
    return True


def _name(url: str) -> str:
    """One file per server; the address itself is inside."""
    return f"{hashlib.sha256(url.rstrip('/').encode()).hexdigest()[:32]}.json"
