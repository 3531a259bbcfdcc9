"""A structured difference on a terminal: readable with and without colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.text import Text

MARKS: Final[dict[str, tuple[str, str]]] = {
    "added": ("+", "green"),
    "removed": ("-", "red"),
    "renamed": ("~", "yellow"),
    "moved": ("~", "yellow"),
    "changed": ("~", "yellow"),
    "code": ("~", "yellow"),
    "same": ("=", "dim"),
}
_STANDING: Final = {
    "code": "its declaration is the same, its code is not",
    "same": "nothing changed",
    "changed": "changed",
    "added": "new",
    "removed": "not there any more",
}
_LOUD: Final = {"data": "yellow", "security": "red"}


def lines(difference: Mapping[str, Any]) -> Iterator[Text]:
    """The difference, workflow by workflow; each change is a sentence with its impact."""
    for workflow in difference["workflows"]:
        yield from _workflow(workflow)
    if difference.get("notice"):
        yield Text(str(difference["notice"]), style="yellow")


def group_lines(changes: Sequence[Mapping[str, Any]]) -> Iterator[Text]:
    """What changes beside the workflows."""
    if changes:
        yield Text("~ the group", style="bold yellow")
    for change in changes:
        yield _change(change)


def _workflow(workflow: Mapping[str, Any]) -> Iterator[Text]:
    mark, style = MARKS[workflow["standing"]]
    same = workflow["standing"] == "same"
    bold = style if same else f"bold {style}"
    yield Text(f"{mark} {workflow['workflow']}: {_words(workflow)}", style=bold)
    for change in workflow["changes"]:
        yield _change(change)


def _words(workflow: Mapping[str, Any]) -> str:
    if workflow["standing"] == "renamed":
        return f"renamed from {workflow['renamed_from']}"
    return _STANDING[workflow["standing"]]


def _change(change: Mapping[str, Any]) -> Text:
    mark, style = MARKS[change["kind"]]
    line = Text(f"    {mark} {change['sentence']}", style=style)
    if change["impact"] != "none":
        line.append(f"  [{change['impact']}]", style=_LOUD.get(change["impact"], "dim"))
    if change.get("unavailable"):
        line.append("  [unavailable]", style="bold yellow")
    if change.get("breaking"):
        line.append("  [breaking]", style="bold red")
    return line
