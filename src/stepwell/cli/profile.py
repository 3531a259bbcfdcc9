"""Where the server is and who asks: options, environment, or the profile of `stepwell dev`."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from stepwell.errors import InvalidInput, SetupError

FOLDER: Final = ".stepwell"
FILE: Final = "client.json"
DATABASE: Final = "stepwell.db"
"""What a server keeps beside it, where no other database is named."""


class NoServer(SetupError):
    """Nothing says where the server is."""

    code = "no-server"


class ProfileInvalid(InvalidInput):
    """The profile's file cannot be read."""

    code = "profile-invalid"


@dataclass(frozen=True, slots=True)
class Profile:
    """A server's address and the token to show it; `source` says where they are from."""

    url: str
    token: str = ""
    source: str = ""


def write(folder: Path, profile: Profile) -> Path:
    """Keep the profile as `client.json` in `folder`, readable by its owner only (0600).

    Who reads it meanwhile finds the old one or the new one, whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n")  # it holds secrets
    path = folder / FILE
    data = {key: value for key, value in asdict(profile).items() if key != "source"}
    descriptor, beside = tempfile.mkstemp(dir=folder, prefix=FILE)  # 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(json.dumps(data, indent=2) + "\n")
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    return path


def read(path: Path) -> Profile:
    """The profile kept in a file.

    Raises
    ------
    ProfileInvalid : it is no JSON object with a `url`.
    """
    try:
        data = json.loads(path.read_text())
        return Profile(url=data["url"], token=data.get("token", ""), source=str(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProfileInvalid(
            f"{path} is no profile.",
            why=f"{type(error).__name__}: {error}",
            fix="Remove the file; `stepwell dev` writes a new one.",
        ) from error


def nearest(start: Path) -> Path | None:
    """The profile of this folder or of the nearest one above it."""
    for folder in (start, *start.parents):
        path = folder / FOLDER / FILE
        if path.is_file():
            return path
    return None


def resolve(
    url: str | None, token: str | None, environment: Mapping[str, str], start: Path
) -> Profile:
    """Options first, then STEPWELL_URL and STEPWELL_TOKEN, then the nearest profile.

    A token from the profile is shown only to the profile's own server.

    Raises
    ------
    NoServer : none of them names a server.
    """
    path = nearest(start)
    kept = read(path) if path else Profile("")
    address = (url or environment.get("STEPWELL_URL") or kept.url).rstrip("/")
    if not address:
        raise NoServer(
            "No server is known.",
            why=f"There is no --url, no STEPWELL_URL and no {FOLDER}/{FILE} from {start} upward.",
            fix="Start one with `stepwell dev PATH`, or give --url and --token.",
        )
    fallback = kept.token if address == kept.url.rstrip("/") else ""
    secret = token or environment.get("STEPWELL_TOKEN", "").strip() or fallback
    source = "--url" if url else "STEPWELL_URL" if environment.get("STEPWELL_URL") else kept.source
    return Profile(address, secret, source)
