"""What an image runs, with more time for its last requests: on a busy machine they may take longer
than the seconds after which a real one gives up, as its launcher would kill it then."""

from __future__ import annotations

import os
import sys

from stepwell.workflows import runner

if __name__ == "__main__":
    runner.LATEST = runner.FAREWELL = 90.0  # type: ignore[attr-defined,misc]
    sys.exit(runner.main(os.environ))
