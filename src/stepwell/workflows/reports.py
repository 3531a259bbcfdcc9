"""`ctx.report`: what an operation shows to people; kept when the operation succeeds (R38)."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack

from stepwell.workflows.errors import ReportInvalid
from stepwell.workflows.references import LARGEST

PLOTLY: Final = "application/vnd.plotly.v1+json"
_MEDIA_TYPE: Final = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)


class Keep(TypedDict, total=False):
    """Which reports of a name are kept, and for how long; all of them can be left out.

    every : one of so many runs whose operation succeeds, the first one included;
        1 is each, 0 is none.
    on_failure : also when the operation fails, which otherwise keeps nothing.
    keep_days : for so many days; by default as long as the server keeps reports.
    """

    every: int
    on_failure: bool
    keep_days: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """A named piece of content, and when it is kept (see `Keep`).

    The kind is table, json, markdown, html, text, svg, image, plot or file.
    """

    name: str
    kind: str
    media_type: str
    content: bytes
    every: int = 1
    on_failure: bool = False
    keep_days: float | None = None


class Reports:
    """The reports of one operation; a second one of the same name takes the place of the first.

    Each method also takes `every`, `on_failure` and `keep_days`: see `Keep`.
    """

    def __init__(self, keep: Callable[[Report], None]) -> None:
        self._keep = keep

    def table(
        self, name: str, rows: Any, columns: Sequence[str] | None = None, **keep: Unpack[Keep]
    ) -> None:
        """Rows as a table.

        Parameters
        ----------
        rows : dicts, sequences (then with `columns`), or a data frame of pandas, polars or
            pyarrow.
        columns : the names in order; by default those of the first row that has each.
        """
        records = _records(rows)
        names = list(columns) if columns is not None else _columns(records, name)
        body = [[_cell(one, index, key) for index, key in enumerate(names)] for one in records]
        self._json(name, "table", {"columns": names, "rows": body}, keep)

    def json(self, name: str, value: Any, **keep: Unpack[Keep]) -> None:
        """Any JSON value, dataclass or model."""
        self._json(name, "json", value, keep)

    def markdown(self, name: str, text: str, **keep: Unpack[Keep]) -> None:
        """Markdown text."""
        self._text(name, "markdown", "text/markdown", text, keep)

    def html(self, name: str, text: str, **keep: Unpack[Keep]) -> None:
        """An HTML page; it is shown without scripts (R43)."""
        self._text(name, "html", "text/html", text, keep)

    def text(self, name: str, text: str, **keep: Unpack[Keep]) -> None:
        """Plain text."""
        self._text(name, "text", "text/plain", text, keep)

    def svg(self, name: str, text: str, **keep: Unpack[Keep]) -> None:
        """An SVG drawing; it is shown without scripts (R43)."""
        self._text(name, "svg", "image/svg+xml", text, keep)

    def image(
        self, name: str, content: Any, media_type: str = "image/png", **keep: Unpack[Keep]
    ) -> None:
        """An image: bytes, a path, an image of Pillow, or a figure (the last two become PNG)."""
        data = _drawn(content) or _bytes(name, content)
        self._add(name, "image", media_type, data, keep)

    def plot(self, name: str, figure: Any, **keep: Unpack[Keep]) -> None:
        """A figure: of matplotlib or what draws with it (kept as PNG), or of Plotly (as JSON)."""
        data = _drawn(getattr(figure, "figure", figure))
        if data is not None:
            self._add(name, "image", "image/png", data, keep)
        elif hasattr(figure, "to_plotly_json"):
            self._add(name, "plot", PLOTLY, figure.to_json().encode(), keep)
        else:
            raise ReportInvalid(
                f"The plot {name!r} is a {type(figure).__name__}.",
                fix="Give a figure of matplotlib or Plotly; for others, report.image(name, bytes).",
            )

    def file(
        self,
        name: str,
        content: Any,
        media_type: str = "application/octet-stream",
        **keep: Unpack[Keep],
    ) -> None:
        """A file to download: bytes, or the path of one to copy now."""
        self._add(name, "file", media_type, _bytes(name, content), keep)

    def _json(self, name: str, kind: str, value: Any, keep: Keep) -> None:
        try:
            text = _dumped(value)
        except (TypeError, ValueError) as error:
            raise ReportInvalid(
                f"The report {name!r} has no JSON form.",
                why=f"{error}.",
                fix="Give JSON values, dates, dataclasses or models.",
            ) from error
        self._add(name, kind, "application/json", text.encode(), keep)

    def _text(self, name: str, kind: str, media_type: str, text: Any, keep: Keep) -> None:
        if not isinstance(text, str):
            raise ReportInvalid(
                f"The report {name!r} is a {type(text).__name__} and not text.",
                fix=f"Give a str to report.{kind}(name, text).",
            )
        self._add(name, kind, media_type, text.encode(errors="replace"), keep)

    def _add(self, name: Any, kind: str, media_type: str, content: bytes, keep: Keep) -> None:
        _check_words(name, media_type)
        _check_keep(keep)
        if len(content) > LARGEST:
            raise ReportInvalid(
                f"The report {name!r} takes {len(content):,} bytes.",
                why=f"At most {LARGEST:,} bytes are kept.",
                fix="Report a sample or a summary, and keep the data elsewhere.",
            )
        self._keep(Report(name, kind, media_type, content, **keep))


def _check_words(name: Any, media_type: Any) -> None:
    if not isinstance(name, str) or not 0 < len(name) <= 200 or not name.isprintable():
        raise ReportInvalid(
            f"{name!r} is no name of a report.", fix="Give 1 to 200 printable characters."
        )
    if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(media_type):
        raise ReportInvalid(
            f"{media_type!r} is no media type.", fix="Write it like 'text/csv', without parameters."
        )


def _check_keep(keep: Keep) -> None:
    every, days = keep.get("every", 1), keep.get("keep_days")
    if type(every) is not int or every < 0:
        raise ReportInvalid(f"every={every!r} is no number of runs.", fix="Give 0, 1, 2 ...")
    if days is not None and not 0 < days <= 3650:
        raise ReportInvalid(
            f"keep_days={days!r} is no number of days.", fix="Give one up to 3650, or None."
        )


def _records(rows: Any) -> list[Any]:
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):
        return list(rows.to_dict(orient="records"))
    for method in ("to_dicts", "to_pylist"):  # polars, pyarrow
        if hasattr(rows, method):
            return list(getattr(rows, method)())
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


def _drawn(figure: Any) -> bytes | None:
    """A figure of matplotlib's kind, or an image of Pillow's, as PNG; None for anything else."""
    target = io.BytesIO()
    if hasattr(figure, "savefig"):
        figure.savefig(target, format="png")
    elif hasattr(figure, "save") and hasattr(figure, "getpixel"):
        figure.save(target, format="PNG")
    else:
        return None
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
