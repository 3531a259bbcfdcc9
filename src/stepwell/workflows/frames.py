"""Errors of the user's code as short text: type, message, and the user's own frames."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from types import TracebackType
from typing import Final

import stepwell

_OURS: Final = str(Path(stepwell.__file__).parent)
_MOST: Final = 6
_OS: Final = ("<frozen os>", os.__file__)


def headline(error: BaseException) -> str:
    """Type and message, and those of what it came from."""
    said = _said(error)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return said if cause is None else f"{said} (after {_said(cause)})"


def own_frames(error: BaseException, root: Path) -> str:
    """The last frames that lie under `root`, one line each with its source; or nothing.

    Where the mistake is one of syntax, the place that the parser names.
    """
    if isinstance(error, SyntaxError):
        return _syntax(error)
    frames = _under(error.__traceback__, root) or _foreign(error.__traceback__)
    return "\n".join(
        f"  {_short(frame.filename, root)}:{frame.lineno} in {frame.name}: {frame.line}"
        for frame in frames[-_MOST:]
    )


def missing_variable(error: BaseException) -> str | None:
    """The environment variable that `os.environ[...]` did not find, if that is the error (R42)."""
    frames = traceback.extract_tb(error.__traceback__)
    from_environ = bool(frames) and frames[-1].filename in _OS
    if isinstance(error, KeyError) and from_environ and error.args:
        return str(error.args[0])
    return None


def _said(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    message = str(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _syntax(error: SyntaxError) -> str:
    line = (error.text or "").strip()
    return f"  {Path(error.filename or '?').name}:{error.lineno}: {line}"


def _under(trace: TracebackType | None, root: Path) -> list[traceback.FrameSummary]:
    folder = str(root if root.is_dir() else root.parent)
    return [
        frame
        for frame in traceback.extract_tb(trace)
        if frame.filename.startswith(folder) and "site-packages" not in frame.filename
    ]


def _foreign(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    """Where the group's code has no frame: all that are not ours and not the importer's."""
    return [
        frame
        for frame in traceback.extract_tb(trace)
        if not frame.filename.startswith((_OURS, "<frozen"))
    ]


def _short(filename: str, root: Path) -> str:
    folder = root.parent
    path = Path(filename)
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name
