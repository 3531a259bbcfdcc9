"""Changes of what is no workflow's: what the group says of itself, and what its image is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from stepwell.server.reviews.changes import Category, Change, Impact, Kind, pointer, unknown
from stepwell.server.reviews.launching import option_changes

_ABOUT: Final[dict[str, tuple[Category, Impact, str]]] = {
    "description": (Category.DESCRIPTION, Impact.NONE, "The group's description changes."),
    "tags": (Category.TAGS, Impact.NONE, "The group's tags change."),
    "entry_point": (Category.IDENTITY, Impact.BEHAVIOUR, "The group is loaded from elsewhere."),
    "sdk_version": (Category.CODE, Impact.BEHAVIOUR, "It is built with another Stepwell."),
}


def about_changes(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> Iterator[Change]:
    """Changes of the head of a manifest; nothing where one of both is not known."""
    if before is None or after is None:
        return
    for field, (category, impact, told) in _ABOUT.items():
        if before.get(field) != after.get(field):
            yield Change(
                path=pointer("group", field),
                kind=Kind.CHANGED,
                category=category,
                impact=impact,
                sentence=told,
                before=before.get(field),
                after=after.get(field),
            )


def head(manifest: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a manifest says about its group and itself."""
    if manifest is None or "group" not in manifest:
        return None
    return {**manifest["group"], "sdk_version": manifest.get("sdk_version")}


def image_changes(before: Mapping[Any, Any] | None, now: Mapping[Any, Any]) -> Iterator[Change]:
    """What the group is registered with now, beside what it was at the current release.

    Its image, what it is given, and what it asks of its launcher. Only names of variables and
    references of secrets, never what they hold. It is in force already: it is told because
    the reviewer may not know.

    Parameters
    ----------
    before : the release's row; None: there is none yet.
    """
    yield from option_changes(
        {} if before is None else before["launch_options"], now["launch_options"]
    )
    if before is not None and before["secrets"] is None:
        yield unknown(("group", "secrets"), Category.SECRETS, "The list of secrets", "before", None)
        return
    was: Mapping[Any, Any] = before or {"image": None, "environment": [], "secrets": {}}
    yield from _image(was["image"], now["image"])
    yield from _variables(was["environment"], sorted(now["environment"]))
    yield from _secrets(was["secrets"], now["secrets"])


def _image(before: str | None, after: str) -> Iterator[Change]:
    if before is not None and before != after:
        yield Change(
            path=pointer("group", "image"),
            kind=Kind.CHANGED,
            category=Category.IMAGE,
            impact=Impact.BEHAVIOUR,
            sentence=f"The group is registered as another image: {after}, before {before}.",
            before=before,
            after=after,
        )


def _variables(before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
    for name in sorted(set(before) ^ set(after)):
        added = name in after
        verb = "gets the variable" if added else "does not get the variable"
        yield Change(
            path=pointer("group", "environment", name),
            kind=Kind.ADDED if added else Kind.REMOVED,
            category=Category.ENVIRONMENT,
            impact=Impact.BEHAVIOUR,
            sentence=f"The image {verb} {name}{'' if added else ' any more'}.",
        )


def _secrets(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        was, one = before.get(name), after.get(name)
        if was != one:
            yield Change(
                path=pointer("group", "secrets", name),
                kind=Kind.ADDED if was is None else Kind.REMOVED if one is None else Kind.CHANGED,
                category=Category.SECRETS,
                impact=Impact.SECURITY,
                sentence=_told(name, was, one),
                before=was,
                after=one,
            )


def _told(name: str, before: str | None, after: str | None) -> str:
    if before is None:
        return f"The image gets a secret that it did not get before: {name}, from {after}."
    if after is None:
        return f"The image does not get the secret {name} any more."
    return f"The secret {name} comes from {after} now, before from {before}."
