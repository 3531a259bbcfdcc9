"""Subscribers of the engine's events: log lines here; metrics and traces beside it."""
