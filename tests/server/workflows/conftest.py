"""The server with a released workflow and a played launcher, as tests of runs have it."""

from tests.server.runs.conftest import *  # noqa: F403 - pytest finds fixtures by their names
