"""State and results as text, and back. The format's name travels with the step (R4)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache, partial
from pathlib import PurePath
from typing import Any, Final, Protocol
from uuid import UUID

from stepwell.errors import NotDecodable, NotEncodable, ValueTooLarge
from stepwell.shapes import shaped

MAX_BYTES: Final = 256 * 1024
"""The largest state, argument or result, in bytes of UTF-8 (R4)."""


class Codec(Protocol):
    """A pair of functions between Python values and text, with a name.

    A codec whose text is JSON keeps states readable with SQL.
    """

    @property
    def format(self) -> str:
        """The name stored beside the text, for example 'json'."""
        ...

    def encode(self, value: Any) -> str:
        """Text for a value; raises `NotEncodable`."""
        ...

    def decode(self, text: str, annotation: Any) -> Any:
        """The value again, as the annotated type where there is one; raises `NotDecodable`."""
        ...


class JsonCodec:
    """The default: JSON by the standard library.

    Writes dataclasses, enums, UUIDs, datetimes, dates, timedeltas (seconds),
    decimals and paths. Reads into the annotated type: by pydantic where that is
    installed, else by `shapes`, which knows dataclasses, TypedDicts and the types
    above; without an annotation it gives plain JSON values.
    """

    format = "json"

    def encode(self, value: Any) -> str:
        """JSON text, compact, with no NaN.

        Raises
        ------
        NotEncodable : a value that JSON has no form for; the message names it.
        """
        try:
            return _write(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise NotEncodable(
                f"A {type(value).__name__} cannot be stored as JSON.",
                why=f"{error}.",
                fix="Use JSON values, dataclasses, or register a codec that knows the type.",
            ) from error

    def decode(self, text: str, annotation: Any = None) -> Any:
        """The value of `text`, as `annotation` where one is given.

        Raises
        ------
        NotDecodable : not JSON, or JSON that does not fit the annotation.
        """
        try:
            value = _read(text)
            return value if annotation is None else _reader(annotation)(value)
        except NotDecodable:
            raise
        except Exception as error:
            raise NotDecodable(
                f"Stored text does not fit {_name(annotation)}.",
                why=f"{type(error).__name__}: {error}",
                fix="Accept the old form too, or re-execute the step with a fitting state.",
            ) from error


class Codecs:
    """A codec, and others by their names for what was written with them.

    Parameters
    ----------
    own : writes everything, and reads what has its format.
    others : read what has theirs.
    """

    def __init__(self, own: Codec, others: Iterable[Codec]) -> None:
        self._own = own
        self._by_format = {codec.format: codec for codec in (JSON, *others, own)}
        self.format = own.format
        self.encode, self.decode = own.encode, own.decode

    def named(self, format: str) -> Codec | None:
        """The codec of a format, if there is one here."""
        return self._by_format.get(format)

    def others(self) -> list[Codec]:
        """Those that only read."""
        return [one for one in self._by_format.values() if one.format != self.format]


def decoded(codec: Codec, text: str, format: str, annotation: Any) -> Any:
    """The value of a text that says its format (R4).

    Raises
    ------
    NotDecodable : no codec here has this format, or the text does not fit.
    """
    if format == codec.format:
        return codec.decode(text, annotation)
    reader = _books(codec).named(format)
    if reader is None:
        raise NotDecodable(
            f"No codec here reads the format {format!r}.",
            why="The step was stored by a program that has one.",
            fix="Give the engine that codec: Engine(..., codecs=[...]).",
        )
    return reader.decode(text, annotation)


def decoded_by_any(codec: Codec, text: str, annotation: Any) -> Any:
    """The value of a text that says no format, as the arguments of an activation.

    It is read by the codec itself, else by the first other that can: programs write what their
    own codec writes, and the commands and pages JSON. What none can read raises what the
    codec itself has said.
    """
    try:
        return codec.decode(text, annotation)
    except Exception:
        for other in _books(codec).others():
            with suppress(Exception):  # of another format it may raise whatever it likes
                return other.decode(text, annotation)
        raise


def _books(codec: Codec) -> Codecs:
    return codec if isinstance(codec, Codecs) else Codecs(codec, ())


def as_written(text: str | None, format: str) -> Any:
    """What people are shown: JSON as its value, and the text of another format as it is.

    Arguments of an activation have no format of their own, so what is no JSON stays text.
    """
    if text is None or format != JSON.format:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


_UNTYPED: Final = (None, Any, object)
_JSON_TYPES: Final = (dict, list, str, int, bool)


def _as_it_is(value: Any) -> Any:
    return value


def _checked(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{type(value).__name__} is not {kind.__name__}")
    return value


def _reader(annotation: Any) -> Callable[[Any], Any]:
    """Makes a JSON value the annotated type: by pydantic if installed, else by `shapes`."""
    try:
        return _compiled(annotation)
    except TypeError:  # an annotation without a hash, such as Annotated[int, [...]]
        return _compiled.__wrapped__(annotation)


@lru_cache(maxsize=1024)
def _compiled(annotation: Any) -> Callable[[Any], Any]:
    if annotation in _UNTYPED:
        return _as_it_is
    if annotation in _JSON_TYPES:
        return partial(_checked, kind=annotation)
    if annotation == dict[str, Any]:  # of JSON that is any object
        return partial(_checked, kind=dict)
    adapter = _adapter(annotation)
    if adapter is None:
        return partial(shaped, annotation=annotation)
    return adapter.validate_python  # type: ignore[no-any-return] # pydantic is optional


def _adapter(annotation: Any) -> Any:
    try:
        from pydantic import (  # noqa: PLC0415 - optional: the core has no dependency
            PydanticUserError,
            TypeAdapter,
        )
    except ImportError:
        return None
    try:
        return TypeAdapter(annotation)
    except PydanticUserError as error:
        if error.code != "typed-dict-version":
            raise
        return None  # before Python 3.12 it refuses the TypedDict of `typing`


def limited(text: str, what: str) -> str:
    """`text` itself, if it is within the limit of R4.

    Raises
    ------
    ValueTooLarge : with the size and the remedy.
    NotEncodable : it holds lone surrogates.
    """
    if text.isascii() and len(text) <= MAX_BYTES:
        return text
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise NotEncodable(
            f"The {what} holds text that is not Unicode.",
            why=f"{error}.",
            fix="Decode bytes with errors='replace' before storing them.",
        ) from error
    if size > MAX_BYTES:
        raise ValueTooLarge(
            f"The {what} takes {size:,} bytes.",
            why=f"At most {MAX_BYTES:,} bytes are kept in the step's row.",
            fix="Store the data elsewhere and keep its key in the step.",
        )
    return text


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    for kinds, convert in _PLAIN:
        if isinstance(value, kinds):
            return convert(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


_PLAIN: Final[tuple[tuple[Any, Any], ...]] = (
    (Enum, lambda value: value.value),
    ((datetime, date, time), lambda value: value.isoformat()),
    (timedelta, lambda value: value.total_seconds()),
    ((UUID, Decimal, PurePath), str),
    ((set, frozenset), sorted),
)


_decoder: Final = json.JSONDecoder()
_raw: Final = _decoder.raw_decode


def _read(text: str) -> Any:
    """What `json.loads` gives, faster: text that `_write` has made has no blanks around it."""
    try:
        value, end = _raw(text)
    except json.JSONDecodeError:
        return _decoder.decode(text)
    return value if end == len(text) else _decoder.decode(text)


_encoder: Final = json.JSONEncoder(
    default=_plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")
)


def _ready_made() -> Callable[[Any, int], Iterable[str]]:
    """What an encoder of `json` makes anew for each value that it writes, made once: that takes
    longer than to write a small state. `json` does not promise it; without it, we wait."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return lambda value, _: _encoder.iterencode(value)
    circles, indent, sorted_keys, skipped_keys, nan = None, None, False, False, False
    text = json.encoder.encode_basestring
    separators = _encoder.key_separator, _encoder.item_separator
    made: Callable[[Any, int], Iterable[str]] = make(
        circles, _plain, text, indent, *separators, sorted_keys, skipped_keys, nan
    )
    return made


_pieces: Final = _ready_made()


def _write(value: Any) -> str:
    try:
        return "".join(_pieces(value, 0))
    except Exception:  # by the common way, which says what is wrong with it
        return _encoder.encode(value)


def _name(annotation: Any) -> str:
    return getattr(annotation, "__name__", str(annotation))


JSON: Final = JsonCodec()
