"""What an image's process becomes at its start, see `__main__`: all imports, then a fork."""

from __future__ import annotations

import gc
import sys

gc.disable()  # of what is imported now nothing is garbage, and looking for it takes time

from stepwell.workflows.forking import go_on  # noqa: E402

if __name__ == "__main__":
    gc.enable()
    gc.freeze()  # what is forked next does not write to what it shares
    sys.exit(go_on(int(sys.argv[1])))
