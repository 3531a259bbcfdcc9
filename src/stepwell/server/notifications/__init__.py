"""Telling people what happened: once per cause, to the targets that they chose."""
