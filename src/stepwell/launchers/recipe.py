"""The recipe of a group's image: a Containerfile, and what belongs beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from stepwell.errors import Conflict
from stepwell.launchers.images import LEFT_OUT, check

RECIPE: Final = "Containerfile"
DEFAULT_BASE: Final = "docker.io/library/python:3.13-slim"
MANIFEST_LABEL: Final = "stepwell.manifest"
"""The label with the digest of what the image declares."""

_TEXT: Final = """\
# The image of the workflow group {name}, as `stepwell image init` wrote it. It is yours now.
# `stepwell image build` builds it; any Dockerfile builder does.
ARG BASE={base}

FROM ${{BASE}} AS built
RUN python3 -m venv /opt/group
# Wheels in a folder `wheels` are all that is asked for then: no index, no network.
COPY requirements.txt wheels* /opt/wheels/
RUN set -- /opt/wheels/*.whl; [ -e "$1" ] && alone=--no-index; \\
    /opt/group/bin/python -m pip install --no-cache-dir --no-compile --disable-pip-version-check \\
        $alone --find-links /opt/wheels --requirement /opt/wheels/requirements.txt
COPY {name} /opt/group/src/{name}
# Compiled now, as the file system is read-only later; never looked at again, which starts faster.
RUN /opt/group/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/group

FROM ${{BASE}}
COPY --from=built /opt/group /opt/group
ENV STEPWELL_GROUP=/opt/group/src/{name} PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Any user will do but root; nothing is written but below /tmp.
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["/opt/group/bin/python", "-m", "stepwell.workflows"]
"""


class RecipeExists(Conflict):
    """A file that would be overwritten."""

    code = "recipe-exists"


def write(group: Path, *, base: str, version: str, force: bool = False) -> list[Path]:
    """Write the recipe of a group beside it; the files that were written.

    Parameters
    ----------
    group : a Python file, or a package's folder.
    base : an image with Python 3.11 or newer, `venv` and `pip`.
    version : of Stepwell, for `requirements.txt`, which is left alone where there is one.
    force : overwrite an earlier recipe.

    Raises
    ------
    ImageUnusable : it is no Python file or package.
    RecipeExists : there is one already.
    """
    check(group)
    folder = group.absolute().parent
    _refuse(folder / RECIPE, force)
    texts = {
        RECIPE: _TEXT.format(name=group.name, base=base),
        ".containerignore": _ignored(),
        ".dockerignore": _ignored(),
        "requirements.txt": f"stepwell[workflows]=={version}\n",
    }
    return [path for name, text in texts.items() if (path := _written(folder / name, text, force))]


def _refuse(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise RecipeExists(
            f"{path} is there already.", fix="Change it as you like, or overwrite it with --force."
        )


def _written(path: Path, text: str, force: bool) -> Path | None:
    if path.exists() and (not force or path.name == "requirements.txt"):
        return None
    path.write_text(text)
    return path


def _ignored() -> str:
    return "".join(f"**/{name}\n" for name in sorted(LEFT_OUT))
