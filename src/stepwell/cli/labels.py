"""Labels as they are typed and told: of runs, and of the schedules that begin them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stepwell.cli.parameters import texts


def labelled(
    before: Mapping[str, str], given: Sequence[str] | None, removed: Sequence[str] | None
) -> dict[str, str]:
    """The labels with those that were typed as KEY=VALUE, and without the keys removed."""
    kept = {key: one for key, one in before.items() if key not in (removed or ())}
    return kept | texts(given)


def shown(labels: Mapping[str, str]) -> str:
    """Labels in a line."""
    return ", ".join(f"{key}:{value}" for key, value in labels.items()) or "no labels"
