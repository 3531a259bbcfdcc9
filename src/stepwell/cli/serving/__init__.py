"""Servers and engines: `dev`, `serve`, `work`, `migrate`, and copies of the database."""
