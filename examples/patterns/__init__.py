"""Integration patterns, a file each, shown in docs/guides/patterns.md."""
