"""Puts the built pages into wheel and sdist; neither is built without them.

An editable install is neither: it serves `web/dist`, or a page that says how to build it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = "src/stepwell/server/static"
"""Where a sdist has them."""
BUILT = ("web/dist", STATIC)
"""Where they may be: in a checkout, in a sdist."""


class CustomBuildHook(BuildHookInterface[Any]):
    """Looks for the pages."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a build; `version` is `standard` or `editable`."""
        if version == "editable":
            return
        found = next((one for one in BUILT if self._is_built(one)), None)
        if found is None:
            raise RuntimeError(
                "The pages are not built, and a stepwell without them must not be given away. "
                "Run `make web` (needs Node 20.19 or newer), then build again."
            )
        place = STATIC if self.target_name == "sdist" else STATIC.removeprefix("src/")
        build_data["force_include"][found] = place

    def _is_built(self, folder: str) -> bool:
        return (Path(self.root) / folder / "index.html").is_file()
