"""Patches of a pod template: JSON merge (RFC 7386), and Kubernetes' strategic merge.

A strategic merge knows which lists are sets with a key: a patch's container of the same name
is merged into that of the template, where a JSON merge would replace them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

KEYS: Final[Mapping[str, str]] = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "imagePullSecrets": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "ports": "containerPort",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "resourceClaims": "name",
}
"""Lists of a pod that are merged by a key; all others are replaced."""
_DIRECTIVE: Final = "$patch"


def merged(target: Any, patch: Any) -> Any:
    """A JSON merge: objects are merged, null removes, all else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    made = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merged(made.get(name), value)
    return made


def strategic(target: Any, patch: Any) -> Any:
    """A strategic merge: as a JSON merge, and lists with a key are merged by it.

    `{"$patch": "delete"}` in an element removes it; `{"$patch": "replace"}` in an object
    replaces it.
    """
    if not isinstance(patch, Mapping):
        return patch
    if patch.get(_DIRECTIVE) == "replace":
        return {name: value for name, value in patch.items() if name != _DIRECTIVE}
    made = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        elif name in KEYS and isinstance(value, list):
            made[name] = _by_key(made.get(name) or [], value, KEYS[name])
        else:
            made[name] = strategic(made.get(name), value)
    return made


def _by_key(target: list[Any], patch: list[Any], key: str) -> list[Any]:
    if {_DIRECTIVE: "replace"} in patch:
        return [one for one in patch if one != {_DIRECTIVE: "replace"}]
    made = list(target)
    for one in patch:
        place = next((n for n, old in enumerate(made) if old.get(key) == one.get(key)), None)
        if one.get(_DIRECTIVE) == "delete":
            made = [old for n, old in enumerate(made) if n != place]
        elif place is None:
            made.append(strategic({}, one))
        else:
            made[place] = strategic(made[place], one)
    return made
