"""Search, read and operate the engine's steps over the API."""
