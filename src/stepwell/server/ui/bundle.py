"""The built pages: a folder with index.html and assets whose names hold their hash."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stepwell.server.settings import Settings

PACKAGED: Final = Path(__file__).resolve().parents[1] / "static"
"""Where a wheel has them."""
CHECKOUT: Final = Path(__file__).resolve().parents[4] / "web"
"""Where a checkout has their source."""
PACKED: Final = {"br": ".br", "gzip": ".gz"}
"""What a build may lay beside a file, packed, by the name of the encoding; the best first."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the bundle: its type, and where it is in each encoding."""

    media_type: str
    plain: Path
    packed: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was built.

    Parameters
    ----------
    index : the text of index.html, with the placeholders of nonce and base path.
    assets : every other file, by its path below the folder: `assets/index-1a2b.js`.
    built : when index.html was written, as `st_mtime_ns`.
    """

    index: str
    assets: Mapping[str, Asset]
    built: int


class Shelf:
    """Finds the bundle, and finds it again when it was built anew.

    Parameters
    ----------
    folder : where it is looked for; it need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._bundle: Bundle | None = None

    def bundle(self) -> Bundle | None:
        """The bundle as it is now; None where nothing was built."""
        try:
            built = (self.folder / "index.html").stat().st_mtime_ns
        except OSError:
            return None
        if self._bundle is None or self._bundle.built != built:
            self._bundle = _read(self.folder, built)
        return self._bundle


def folder_of(settings: Settings) -> Path:
    """The folder that a setting names, else that of the package, else that of a checkout."""
    if settings.ui_folder:
        return Path(settings.ui_folder)
    if (PACKAGED / "index.html").exists() or not (CHECKOUT / "package.json").exists():
        return PACKAGED
    return CHECKOUT / "dist"


def _read(folder: Path, built: int) -> Bundle:
    index = (folder / "index.html").read_text(encoding="utf-8")
    return Bundle(index, dict(_assets(folder)), built)


def _assets(folder: Path) -> Iterator[tuple[str, Asset]]:
    files = {path for path in folder.rglob("*") if path.is_file()}
    for path in sorted(files):
        name = path.relative_to(folder).as_posix()
        if name.startswith("index.html") or path.suffix in PACKED.values():
            continue
        packed = {how: path.with_name(path.name + end) for how, end in PACKED.items()}
        found = {how: one for how, one in packed.items() if one in files}
        yield name, Asset(_media_type(path), path, found)


def _media_type(path: Path) -> str:
    """By the name; the system's own table is not asked, so all machines agree on these."""
    guessed = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    return guessed or "application/octet-stream"


_TYPES: Final = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".ico": "image/x-icon",
    ".txt": "text/plain",
}
