"""`ctx.report`: what an operation shows to people; kept when the operation succeeds (R38)."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stepwell.workflows.errors import ReportInvalid

LARGEST: Final = 20 * 1024 * 1024
"""Bytes of one report."""

_MEDIA_TYPE: Final = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Report:
    """A named piece of content: kind is table, json, markdown, html, text, svg, image or file."""

    name: str
    kind: str
    media_type: str
    content: bytes


class Reports:
    """The reports of one operation; a second one of the same name takes the place of the first."""

    def __init__(self, keep: Callable[[Report], None]) -> None:
        self._keep = keep

    def table(self, name: str, rows: Any, columns: Sequence[str] | None = None) -> None:
        """Rows as a table.

        Parameters
        ----------
        rows : dicts, sequences (then with `columns`), or a data frame of pandas' kind.
        columns : the names in order; by default those of the first row that has each.
        """
        records = _records(rows)
        names = list(columns) if columns is not None else _columns(records, name)
        body = [[_cell(one, index, key) for index, key in enumerate(names)] for one in records]
        self._json(name, "table", {"columns": names, "rows": body})

    def json(self, name: str, value: Any) -> None:
        """Any JSON value, dataclass or model."""
        self._json(name, "json", value)

    def markdown(self, name: str, text: str) -> None:
        """Markdown text."""
        self._text(name, "markdown", "text/markdown", text)

    def html(self, name: str, text: str) -> None:
        """An HTML page; it is shown without scripts (R43)."""
        self._text(name, "html", "text/html", text)

    def text(self, name: str, text: str) -> None:
        """Plain text."""
        self._text(name, "text", "text/plain", text)

    def svg(self, name: str, text: str) -> None:
        """An SVG drawing; it is shown without scripts (R43)."""
        self._text(name, "svg", "image/svg+xml", text)

    def image(self, name: str, content: Any, media_type: str = "image/png") -> None:
        """An image: bytes, a path, or a figure with `savefig` (written as PNG)."""
        data = _drawn(content) if hasattr(content, "savefig") else _bytes(name, content)
        self._add(name, "image", media_type, data)

    def file(self, name: str, content: Any, media_type: str = "application/octet-stream") -> None:
        """A file to download: bytes, or the path of one to copy now."""
        self._add(name, "file", media_type, _bytes(name, content))

    def _json(self, name: str, kind: str, value: Any) -> None:
        try:
            text = _dumped(value)
        except (TypeError, ValueError) as error:
            raise ReportInvalid(
                f"The report {name!r} has no JSON form.",
                why=f"{error}.",
                fix="Give JSON values, dates, dataclasses or models.",
            ) from error
        self._add(name, kind, "application/json", text.encode())

    def _text(self, name: str, kind: str, media_type: str, text: Any) -> None:
        if not isinstance(text, str):
            raise ReportInvalid(
                f"The report {name!r} is a {type(text).__name__} and not text.",
                fix=f"Give a str to report.{kind}(name, text).",
            )
        self._add(name, kind, media_type, text.encode())

    def _add(self, name: Any, kind: str, media_type: str, content: bytes) -> None:
        _check_words(name, media_type)
        if len(content) > LARGEST:
            raise ReportInvalid(
                f"The report {name!r} takes {len(content):,} bytes.",
                why=f"At most {LARGEST:,} bytes are kept.",
                fix="Report a sample or a summary, and keep the data elsewhere.",
            )
        self._keep(Report(name, kind, media_type, content))


def _check_words(name: Any, media_type: Any) -> None:
    if not isinstance(name, str) or not 0 < len(name) <= 200 or not name.isprintable():
        raise ReportInvalid(
            f"{name!r} is no name of a report.", fix="Give 1 to 200 printable characters."
        )
    if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(media_type):
        raise ReportInvalid(
            f"{media_type!r} is no media type.", fix="Write it like 'text/csv', without parameters."
        )


def _records(rows: Any) -> list[Any]:
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):
        return list(rows.to_dict(orient="records"))
    if not isinstance(rows, Iterable):
        raise ReportInvalid(
            f"A {type(rows).__name__} is no list of rows.", fix="Give dicts or sequences."
        )
    return list(rows)


def _columns(records: list[Any], name: str) -> list[str]:
    if any(not isinstance(one, Mapping) for one in records):
        raise ReportInvalid(
            f"The table {name!r} has rows without names.", fix="Give columns=[...], or dicts."
        )
    return list(dict.fromkeys(str(key) for one in records for key in one))


def _cell(record: Any, index: int, key: str) -> Any:
    return _shown(record.get(key) if isinstance(record, Mapping) else record[index])


def _shown(value: Any) -> Any:
    """What JSON has no number for: a gap of a data frame is empty, infinity is a word."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(float(value))
    return None if type(value).__name__ == "NaTType" else value


def _drawn(figure: Any) -> bytes:
    target = io.BytesIO()
    figure.savefig(target, format="png")
    return target.getvalue()


def _bytes(name: str, content: Any) -> bytes:
    if isinstance(content, bytes | bytearray | memoryview):
        return bytes(content)
    try:
        return Path(content).read_bytes()
    except (TypeError, OSError) as error:
        raise ReportInvalid(
            f"The report {name!r} cannot be read.", why=f"{error}.", fix="Give bytes or a path."
        ) from error


def _dumped(value: Any) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    from pydantic_core import to_jsonable_python  # noqa: PLC0415 - most reports are text

    return value.item() if hasattr(value, "item") else to_jsonable_python(value)
