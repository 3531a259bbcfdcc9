"""A review on a terminal: what changes, what that does to what lives, and how to decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.text import Text

from stepwell.cli.groups import difference
from stepwell.cli.render import Output, instant

_SERIOUS: Final = frozenset(
    {"schedule-misfit", "states-misfit", "steps-lose-handler", "schedules-stop"}
)
"""Effects that somebody has to do something about."""
NAMED: Final = 10
"""So many of several are named in a sentence."""


def tell(out: Output, found: Mapping[str, Any]) -> None:
    """The difference, what it would do to what lives, and the commands that decide."""
    for line in lines(found):
        out.line(line)
    _tell_commands(out, found)


def lines(found: Mapping[str, Any]) -> Iterator[str | Text]:
    """All but the commands."""
    yield Text(_headline(found), style="bold")
    if found["verdict"]:
        yield Text(found["verdict"], style="yellow")
    for risk in found["risks"]:
        yield Text(f"! {risk['sentence']}  [{risk['code']}]", style="bold red")
    yield from difference.group_lines(found["group_changes"])
    yield from difference.lines(found)
    yield from _effects(found["effects"])
    yield from _block("could not be looked at", found["unavailable"], "yellow")
    yield from _block("decided before", [*map(_decided, _with_decision(found))], "dim")


def tell_applied(out: Output, group: str, applied: Mapping[str, Any]) -> None:
    """What came of decisions."""
    proposal = applied.get("proposal")
    if proposal is not None and proposal["state"] == "open":
        out.line(f"proposed by {proposal['requested_by']}; nothing is in force yet")
        out.line("another reviewer confirms it with:")
        out.line(f"  stepwell groups confirm {group}")
        return
    if applied["changed"]:
        new = [name for name in applied["accepted"] if name not in applied["removed"]]
        parts = [listed(new)] if new else []
        parts += [f"without {listed(applied['removed'])}"] if applied["removed"] else []
        number = applied["release"]["number"]
        out.line(f"release {number} of {group} is in force: {'; '.join(parts)}")
    else:
        out.line(f"nothing changes in {group}")
    if applied["kept"]:
        out.line(f"kept as they were: {listed(applied['kept'])}")


def listed(names: list[str], count: int | None = None) -> str:
    """The first names in one line, and how many more there are, of so many in all."""
    first = names[:NAMED]
    more = (len(names) if count is None else count) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")


def _headline(found: Mapping[str, Any]) -> str:
    group, release = found["group"], found["release"]
    against = f"release {release}" if release else "nothing: no release yet"
    if found["kind"] == "rollback":
        return f"{group}: back to release {found['to_release']}, compared with {against}"
    digest = (found["digest"] or "no digest")[:19]
    return f"{group}: discovery {found['discovery_id']} ({digest}) compared with {against}"


def _effects(effects: list[Mapping[str, Any]]) -> Iterator[Text]:
    if not effects:
        return
    yield Text("accepting all of it:", style="bold")
    for effect in effects:
        serious = effect["code"] in _SERIOUS
        mark, style = ("!", "yellow") if serious else ("-", "cyan")
        yield Text(f"  {mark} {effect['workflow']}: {effect['sentence']}", style=style)
        for one in effect["sample"]:
            yield Text(f"      {one['where']} {one['path']}: {one['reason']}", style="dim")
        if serious and effect["code"].startswith("steps") and effect["ids"]:
            yield Text(f"      {listed(effect['ids'][:5], effect['count'])}", style="dim")


def _block(title: str, sentences: list[str], style: str) -> Iterator[Text]:
    if sentences:
        yield Text(f"{title}:", style="bold")
    for sentence in sentences:
        yield Text(f"  - {sentence}", style=style)


def _with_decision(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in found["workflows"] if one.get("decided")]


def _decided(workflow: Mapping[str, Any]) -> str:
    made = workflow["decided"]
    until = f" until {instant(made['hold_until'])}" if made["hold_until"] else ""
    because = f": {made['reason']}" if made["reason"] else ""
    return f"{workflow['workflow']}: {made['decision']}{until} by {made['decided_by']}{because}"


def _tell_commands(out: Output, found: Mapping[str, Any]) -> None:
    if found["comments"]:
        plural = "" if found["comments"] == 1 else "s"
        told = f"{found['comments']} comment{plural}: stepwell groups comments {found['group']}"
        out.line(told)
    if found["proposal"] is not None:
        _tell_proposal(out, found)
    elif not found["pending"]:
        out.line("nothing waits for a decision")
    else:
        out.line(f"waiting for a decision: {listed(found['pending'])}")
        commands = _commands(found)
        width = max(map(len, commands))
        for text, meaning in commands.items():
            out.line(f"  stepwell groups {text.ljust(width)}   {meaning}")


def _tell_proposal(out: Output, found: Mapping[str, Any]) -> None:
    made = found["proposal"]
    because = f": {made['reason']}" if made["reason"] else ""
    out.line(f"{made['requested_by']} has proposed to release it{because}")
    out.line(f"  stepwell groups confirm {found['group']}   by another reviewer")
    out.line(f"  stepwell groups refuse {found['group']} --reason ...")


def _commands(found: Mapping[str, Any]) -> dict[str, str]:
    name, first = found["group"], found["pending"][0]
    there = [one["workflow"] for one in found["workflows"] if one["standing"] != "removed"]
    triable = [one for one in found["pending"] if one in there]
    by_two = ", after another reviewer has confirmed it" if found["two_person"] else ""
    if found["kind"] == "rollback":
        back = f"rollback {name} --to {found['to_release']}"
        return {back: f"all of it{by_two}", f"{back} {first}": "only that"}
    commands = {f"approve {name}": f"all of it{by_two}"}
    if len(found["pending"]) > 1:
        commands[f"approve {name} {first}"] = "only that; the rest waits"
    commands[f"reject {name} --reason ..."] = "keep what is in force"
    commands[f"hold {name} --until ..."] = "decide later"
    if triable:
        commands[f"try {name} {triable[0]}"] = "run it once before you decide"
    return commands
