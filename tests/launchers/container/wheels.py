"""A wheel of the Stepwell under test, so that images need no index."""

from __future__ import annotations

import importlib.metadata
import shutil
import zipfile
from pathlib import Path

from tests.launchers.container.podman import WHEELS

import stepwell
from stepwell.version import VERSION

_TAG = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def put(folder: Path, others: Path = WHEELS) -> None:
    """The wheels of a group's image, or of another one that needs others, in a folder."""
    shutil.copytree(others, folder)
    info = f"stepwell-{VERSION}.dist-info"
    root = Path(stepwell.__file__).parent
    installed = importlib.metadata.distribution("stepwell")
    texts = {
        f"{info}/METADATA": installed.read_text("METADATA") or "",
        f"{info}/entry_points.txt": installed.read_text("entry_points.txt") or "",
        f"{info}/WHEEL": _TAG,
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(folder / f"stepwell-{VERSION}-py3-none-any.whl", "w") as wheel:
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and "static" not in path.parts:
                wheel.write(path, path.relative_to(root.parent))
        for name, text in texts.items():
            wheel.writestr(name, text)
