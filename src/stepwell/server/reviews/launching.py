"""Changes of what a group asks of its launcher: resources, service account, secrets, places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from stepwell.launchers import amounts
from stepwell.server.reviews.changes import Category, Change, Impact, Kind, pointer, unknown

Options = Mapping[str, Any]

DOUBLED: Final = 2.0
"""So many times what it was before, an amount is one to look at."""

_AMOUNTS: Final = {"requests": "ask for", "limits": "may have at most"}
_APART: Final = {*_AMOUNTS, "service_account", "env", "env_from", "patch", "patch_type"}
_PATH: Final = ("group", "launch_options")


def option_changes(before: Options | None, now: Options | None) -> Iterator[Change]:
    """What is asked of the launcher now, beside what was at the current release.

    Of secrets only their names, and of a patch only that it changes: it may hold anything.

    Parameters
    ----------
    before : None where nobody knows.
    """
    new = now or {}
    if before is None:
        if new:
            what = "The list of launch options"
            yield unknown(_PATH, Category.LAUNCHING, what, "before", None)
        return
    for name in _AMOUNTS:
        yield from _amounts(name, before.get(name) or {}, new.get(name) or {})
    yield from _account(before.get("service_account"), new.get("service_account"))
    yield from _references(_referred(before), _referred(new))
    yield from _patch(before, new)
    for name in sorted({*before, *new} - _APART):
        yield from _other(name, before.get(name), new.get(name))


def doubled(change: Change) -> bool:
    """Whether pods ask for, or may have, twice of something and more."""
    if change.category is not Category.RESOURCES or None in (change.before, change.after):
        return False
    before, after = (amounts.number(one) for one in (change.before, change.after))
    return after >= before * DOUBLED and after > 0


def _amounts(name: str, before: Options, now: Options) -> Iterator[Change]:
    for resource in sorted({*before, *now}):
        was, one = before.get(resource), now.get(resource)
        if was != one:
            told = f"Its pods {_AMOUNTS[name]} {_amount(resource, one)}, before "
            yield Change(
                path=pointer(*_PATH, name, resource),
                kind=_kind(was, one),
                category=Category.RESOURCES,
                impact=Impact.BEHAVIOUR,
                sentence=f"{told}{_amount(resource, was)}.",
                before=was,
                after=one,
            )


def _amount(resource: str, amount: str | None) -> str:
    return "what the server says" if amount is None else amounts.words(resource, amount)


def _account(before: str | None, now: str | None) -> Iterator[Change]:
    if before != now:
        was, one = (name or "the server's own" for name in (before, now))
        yield Change(
            path=pointer(*_PATH, "service_account"),
            kind=_kind(before, now),
            category=Category.PERMISSIONS,
            impact=Impact.SECURITY,
            sentence=f"Its pods run as the service account {one}, before as {was}.",
            before=before,
            after=now,
        )


def _referred(options: Options) -> dict[tuple[str, str], str]:
    """What the pods are given by reference: option and name -> the object, with its key."""
    found = {("env", name): _object(one) for name, one in (options.get("env") or {}).items()}
    for one in options.get("env_from") or ():
        thing = _object(one)
        found["env_from", f"{one.get('prefix') or ''}{thing}"] = thing
    return found


def _object(reference: Options) -> str:
    kind = "secret" if reference.get("secret") else "config_map"
    key = reference.get("key")
    return f"{kind} {reference.get(kind)}{'' if key is None else f', key {key}'}"


def _references(
    before: Mapping[tuple[str, str], str], now: Mapping[tuple[str, str], str]
) -> Iterator[Change]:
    for place in sorted({*before, *now}):
        was, one = before.get(place), now.get(place)
        if was != one:
            secret = any(str(side).startswith("secret ") for side in (was, one))
            yield Change(
                path=pointer(*_PATH, *place),
                kind=_kind(was, one),
                category=Category.SECRETS if secret else Category.ENVIRONMENT,
                impact=Impact.SECURITY if secret else Impact.BEHAVIOUR,
                sentence=_given(place, was, one),
                before=was,
                after=one,
            )


def _given(place: tuple[str, str], before: str | None, now: str | None) -> str:
    option, name = place
    what = f"the variable {name}" if option == "env" else "all keys as variables"
    if now is None:
        return f"The pods do not get {what} any more, from the {before}."
    if before is None:
        return f"The pods get {what}, which they did not get before, from the {now}."
    return f"The pods get {what} from the {now} now, before from the {before}."


def _patch(before: Options, now: Options) -> Iterator[Change]:
    was, one = ((of.get("patch"), of.get("patch_type")) for of in (before, now))
    if was != one and (was[0] or one[0]):
        yield Change(
            path=pointer(*_PATH, "patch"),
            kind=_kind(was[0], one[0]),
            category=Category.LAUNCHING,
            impact=Impact.SECURITY,
            sentence="The patch of its pod template changes; it may change anything of its pods.",
        )


def _other(name: str, before: Any, now: Any) -> Iterator[Change]:
    if (before or None) != (now or None):
        yield Change(
            path=pointer(*_PATH, name),
            kind=_kind(before or None, now or None),
            category=Category.LAUNCHING,
            impact=Impact.BEHAVIOUR,
            sentence=f"Where or how its pods run changes: {name.replace('_', ' ')}.",
            before=before,
            after=now,
        )


def _kind(before: object, now: object) -> Kind:
    if before is None:
        return Kind.ADDED
    return Kind.REMOVED if now is None else Kind.CHANGED
