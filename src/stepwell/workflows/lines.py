"""The lines of a log as text: a JSON array each, in segments that are compressed (R39).

A line is `[milliseconds, stream, level, text]`, or with a fifth element, the fields of
a structured line. Milliseconds count from 1970 (UTC); the stream is `stdout`, `stderr`
or `log`; the level is a number as in `logging`, 0 where there is none.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from stepwell.errors import InvalidInput

SEGMENT: Final = 256 * 1024
"""Bytes of text after which a segment is closed."""
LARGEST: Final = 2 * 1024 * 1024
"""Bytes of text that a segment may hold: one line may be long."""
LONGEST: Final = 64 * 1024
"""Characters of one line; a longer one becomes several."""
_STREAMS: Final = ("stdout", "stderr", "log")


class SegmentInvalid(InvalidInput):
    """A piece of a log that is not what it should be."""

    code = "segment-invalid"


@dataclass(frozen=True, slots=True)
class Line:
    """One line, without its end. `at` in milliseconds since 1970 (UTC); `level` as in `logging`."""

    at: int
    stream: str
    level: int
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)


def written(line: Line) -> str:
    """A line as JSON, with its end."""
    values = [line.at, line.stream, line.level, line.text]
    if line.fields:
        values.append(dict(line.fields))
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=str) + "\n"


def packed(text: str) -> bytes:
    """A segment's text, compressed (zlib); surrogates are replaced."""
    return zlib.compress(text.encode(errors="replace"), 3)


def unpacked(content: bytes) -> str:
    """The text of a segment; raises `SegmentInvalid` where it is none, or too long."""
    try:
        unzip = zlib.decompressobj()
        text = unzip.decompress(content, LARGEST)
        if unzip.unconsumed_tail or not unzip.eof:
            raise ValueError(f"more than {LARGEST:,} bytes, or cut off")
        return text.decode()
    except (zlib.error, ValueError) as error:
        raise SegmentInvalid(
            "A segment of a log cannot be read.",
            why=f"{error}.",
            fix=f"Send at most {LARGEST:,} bytes of lines, compressed by zlib.",
        ) from error


def lines_of(text: str) -> list[Line]:
    """The lines of a segment's text; raises `SegmentInvalid`."""
    return [read(one) for one in text.split("\n") if one]


def read(text: str) -> Line:
    """One line of a segment's text; raises `SegmentInvalid`."""
    try:
        at, stream, level, words, *more = json.loads(text)
        if "\\ud" in text or "\\uD" in text:
            words, more = _storable([words, more])
        fits = stream in _STREAMS and all(type(one) is int for one in (at, level))
        if not fits or not isinstance(words, str) or not all(isinstance(f, dict) for f in more):
            raise TypeError("its values have other types")
        if not (0 <= level <= 100 and 0 <= at < 253402300800000 and len(more) <= 1):
            raise ValueError("its values are out of range")
        return Line(at, stream, level, words, *more)
    except (ValueError, TypeError) as error:
        raise SegmentInvalid(
            f"This is no line of a log: {text[:80]}",
            why=f"{error}.",
            fix="Write [milliseconds, stream, level, text] or with an object of fields behind it.",
        ) from error


def _storable(value: Any) -> Any:
    """The value without lone surrogates, which no answer could hold."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))


def joined(lines: Iterable[Line]) -> str:
    """The text of a segment with these lines."""
    return "".join(written(one) for one in lines)


def rendered(line: Line) -> str:
    """A line as people see it where output is only text, without its end."""
    if line.stream != "log":
        return line.text
    logger = line.fields.get("logger")
    name = f" {logger}" if logger else ""
    return f"{logging.getLevelName(line.level)}{name}: {line.text}"
