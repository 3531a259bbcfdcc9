"""The chart as Helm itself renders it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml
from helm_python import Chart

ROOT: Final = Path(__file__).parents[2]
CHART: Final = ROOT / "deploy" / "helm" / "stepwell"
GIVEN: Final[dict[str, Any]] = {
    "database": {"existingSecret": "stepwell-database"},
    "secretKey": {"existingSecret": "stepwell-key"},
    "blobs": {"url": "s3://bucket/stepwell"},
}
"""The least that must be said."""

Object = dict[str, Any]


def rendered(values: dict[str, Any] | None = None, **more: Any) -> list[Object]:
    """The objects, with `GIVEN` unless `values` says all; of a release `prod` in `tools`."""
    wanted = {**GIVEN, **more} if values is None else values
    with Chart.load(CHART) as chart:
        files = chart.render(wanted, name="prod", namespace="tools")
    texts = (text for name, text in files.items() if name.endswith(".yaml"))
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def of(objects: list[Object], kind: str) -> list[Object]:
    """Those of a kind."""
    return [one for one in objects if one["kind"] == kind]


def only(objects: list[Object], kind: str) -> Object:
    """The one of a kind."""
    (one,) = of(objects, kind)
    return one


def pods(objects: list[Object]) -> list[Object]:
    """The pod templates' specs."""
    return [one["spec"]["template"]["spec"] for one in objects if one["kind"] in _WITH_PODS]


_WITH_PODS = ("Deployment", "Job")
