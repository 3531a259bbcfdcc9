"""`python -m stepwell.cli` is `stepwell`."""

from stepwell.cli import main

main()
