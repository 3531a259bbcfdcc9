"""The status of a workflow as a small drawing (SVG)."""

from __future__ import annotations

from html import escape
from typing import Final

COLOURS: Final = {"succeeded": "#2f7d32", "failed": "#b3261e"}
_OTHER: Final = "#5f6368"
_WORDS: Final = {"succeeded": "passing", "failed": "failing"}


def drawn(label: str, state: str | None) -> str:
    """A badge that says how the last run ended, in words and not by colour alone."""
    word = _WORDS.get(state or "", "no runs")
    left, right = _width(label), _width(word)
    name = escape(f"{label}: {word}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{name}"><title>{name}</title>'
        f'<rect width="{left}" height="20" fill="#3c4043"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{COLOURS.get(state or "", _OTHER)}"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" '
        f'text-anchor="middle"><text x="{left / 2:g}" y="14">{escape(label)}</text>'
        f'<text x="{left + right / 2:g}" y="14">{word}</text></g></svg>'
    )


def _width(text: str) -> int:
    return 12 + 7 * len(text)
