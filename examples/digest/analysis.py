"""What can be said of a text by counting: words, sentences, how hard it is to read."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_COMMON = """
a an and are as at be been but by can do for from has have if in into is it its may more not of on
one or other same see such than that the their then there these they this to two used using was
when which will with
"""
COMMON = frozenset(_COMMON.split())


@dataclass(frozen=True)
class Analysis:
    """The findings; `reading_ease` is Flesch's: 0 is very hard, 100 very easy."""

    words: int
    sentences: int
    different_words: int
    reading_ease: float
    frequent: list[tuple[str, int]]


def analyse(text: str, most: int) -> Analysis:
    """Count the text's words and sentences; `most` frequent words, small ones left out."""
    words = re.findall(r"[a-z][a-z'-]*", text.lower())
    sentences = max(1, len(re.findall(r"[.!?:](?:\s|$)", text)))
    told = Counter(word for word in words if len(word) > 2 and word not in COMMON)
    return Analysis(
        words=len(words),
        sentences=sentences,
        different_words=len(set(words)),
        reading_ease=round(reading_ease(words, sentences), 1),
        frequent=told.most_common(most),
    )


def reading_ease(words: list[str], sentences: int) -> float:
    """Flesch's formula: 206.835 - 1.015 words/sentence - 84.6 syllables/word."""
    if not words:
        return 100.0
    syllables = sum(_syllables(word) for word in words)
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * syllables / len(words)


def _syllables(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith("le") and groups > 1
    return max(1, groups - silent)
