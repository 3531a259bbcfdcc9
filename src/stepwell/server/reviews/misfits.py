"""Values that live and do not fit a new schema: a sample of where and why, without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from stepwell.server.reviews.changes import pointer
from stepwell.server.reviews.records import Sample
from stepwell.server.reviews.redaction import discreet, secrets_of
from stepwell.server.reviews.schemas import sound, value_misfits

MOST: Final = 5
"""So many misfits are shown of one thing."""

_PLACE: Final = re.compile(r"^'?([\w.\-\[\]]+)'?(:| is required| is not taken)")


def of_parameters(values: Any, schema: Any, where: str) -> list[Sample]:
    """What of these parameters a workflow would refuse; none where that cannot be judged."""
    if not sound(schema) or not isinstance(values, Mapping):
        return []
    return samples(value_misfits(dict(values), schema), where, secrets_of(schema))


def samples(reasons: Iterable[str], where: str, secret: Iterable[str]) -> list[Sample]:
    """Reasons with the place that they begin with, as a JSON pointer."""
    shown = discreet(list(reasons)[:MOST], secret)
    return [Sample(where=where, path=_path(reason), reason=reason) for reason in shown]


def _path(reason: str) -> str:
    place = _PLACE.match(reason)
    parts = [] if place is None else place[1].replace("[]", ".0").split(".")
    return pointer("parameters", *parts)
