"""Durations, instants and first lines, as the sentences say them."""

from __future__ import annotations

from datetime import datetime, timedelta


def span(duration: timedelta) -> str:
    """41 s, 1 m 04 s, 3 h 10 m, 5 d 3 h."""
    seconds = max(round(duration.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 60:
        return f"{seconds} s"
    if minutes < 60:
        return f"{minutes} m {seconds % 60:02} s"
    return f"{hours} h {minutes % 60} m" if days < 2 else f"{days} d {hours % 24} h"


def instant(at: datetime) -> str:
    """`Mon 2026-01-31 06:00 UTC`."""
    return f"{at:%a %Y-%m-%d %H:%M} UTC"


def first_line(text: str | None, otherwise: str = "no reason given") -> str:
    """The first line of a text, without a full stop."""
    line = next(iter((text or "").strip().splitlines()), "")
    return line.rstrip(".") or otherwise


def counted(number: int, noun: str) -> str:
    """`1 node`, `12 nodes`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def capitalised(text: str) -> str:
    """The text, beginning as a sentence does."""
    return text[:1].upper() + text[1:]
