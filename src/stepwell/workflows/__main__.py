"""`python -m stepwell.workflows`: what a launcher starts inside an image."""

from __future__ import annotations

import os
import sys

from stepwell.workflows.runner import main

if __name__ == "__main__":
    sys.exit(main(os.environ))
