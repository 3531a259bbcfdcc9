"""The same failure, met again: a short hash that groups failures, whatever their messages say."""

from __future__ import annotations

import hashlib
import os
import traceback
from pathlib import Path
from types import FrameType
from typing import Final

_DIGITS: Final = 16
_FOREIGN: Final = (
    f"{Path(os.__file__).parent}{os.sep}",
    f"{Path(__file__).parents[1]}{os.sep}",
    "<frozen",
)
"""Where code lives that is not the project's own: the standard library, and Stepwell."""
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})


def fingerprint(error: BaseException, step_name: str) -> str:
    """Sixteen hexadecimal digits of exception type, innermost frame of the project, and step.

    Messages and line numbers do not count, so that a failure keeps its fingerprint over
    other values, and over changes elsewhere in the file.
    """
    text = f"{origin(error)}|{step_name}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:_DIGITS]


def origin(error: BaseException) -> str:
    """Type and place of an exception; of one that only tells of another, its `origin`."""
    told = getattr(error, "origin", "")
    if isinstance(told, str) and told:
        return told
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}|{_place(error)}"


def _place(error: BaseException) -> str:
    """File and function of the innermost frame that is neither Stepwell's nor a library's."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    own = [frame for frame in frames if _is_own(_file(frame))]
    if not own:
        return ""
    return f"{Path(_file(own[-1])).name}:{own[-1].f_code.co_qualname}"


def _is_own(file: str) -> bool:
    return not file.startswith(_FOREIGN) and _INSTALLED.isdisjoint(Path(file).parts)


def _file(frame: FrameType) -> str:
    return frame.f_code.co_filename
