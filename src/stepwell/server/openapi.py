"""The API as text: `python -m stepwell.server.openapi openapi.json` writes it.

The file at the root of the repository is committed, clients are generated from
it, and a test fails when it drifts from the routes.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from stepwell.server.app import Server
from stepwell.server.settings import Settings


def document() -> str:
    """The OpenAPI document of all rooms, as JSON with sorted keys; contacts no database."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Settings(data_dir=Path(folder), run_engine=False))
        try:
            described = server.app.openapi()
        finally:
            server.db.close()
    return json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document())
