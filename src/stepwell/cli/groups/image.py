"""`stepwell image`: the recipe of a group's image, and building it with Docker or Podman."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from stepwell.cli.session import Session, command
from stepwell.errors import SetupError
from stepwell.launchers.protocol import ImageUnusable
from stepwell.launchers.recipe import DEFAULT_BASE, MANIFEST_LABEL, RECIPE, write
from stepwell.version import VERSION

ENGINES: Final = ("podman", "docker")

app = typer.Typer(name="image", help="Images of workflow groups.", no_args_is_help=True)

_DECLARE: Final = (
    "import json, os, pathlib\n"
    "from stepwell.workflows.describing import describe\n"
    "from stepwell.workflows.loading import load_group\n"
    "group = load_group(pathlib.Path(os.environ['STEPWELL_GROUP']))\n"
    "print(json.dumps(describe(*group).manifest.as_json()))\n"
)
"""What an image is asked, without a server and without a network."""


class EngineMissing(SetupError):
    """Neither Docker nor Podman can be run here."""

    code = "container-engine-missing"


class BuildFailed(ImageUnusable):
    """The image could not be built, or what was built declares no group."""

    code = "image-build-failed"


@command(app, "init", remote=False)
def init(
    session: Session,
    group: Annotated[Path, typer.Argument(help="The Python file or package of the group.")],
    base: Annotated[
        str, typer.Option("--base", help="An image with Python 3.11 or newer, venv and pip.")
    ] = DEFAULT_BASE,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an earlier recipe.")] = False,
) -> None:
    """Write a Containerfile for a group beside it, and requirements.txt if there is none."""
    written = write(group, base=base, version=VERSION, force=force)
    if session.out.as_json:
        session.out.json({"written": [str(path) for path in written]})
        return
    for path in written:
        session.out.line(f"Wrote {path}")
    session.out.note("Next: stepwell image build --tag NAME")


@command(app, "build", remote=False)
def build(
    session: Session,
    tag: Annotated[str, typer.Option("--tag", help="The name of the image.")],
    folder: Annotated[Path, typer.Argument(help="Where the Containerfile is.")] = Path(),
    base: Annotated[str | None, typer.Option("--base", help="Another base image.")] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="docker or podman; default: what is there.")
    ] = None,
) -> None:
    """Build the image of a group, and label it with the digest of what it declares.

    Wheels in the folder `wheels` are installed without an index, so that a base image of
    this machine and no network are enough.
    """
    made = Builder(_engine(engine)).build(tag, folder, base)
    if session.out.as_json:
        session.out.json(made)
        return
    session.out.line(f"Built {tag} ({made['group']}), manifest {made['manifest']}")
    session.out.note(f"Next: stepwell groups register {tag} --launcher container")


class Builder:
    """Builds with the command of an engine.

    Parameters
    ----------
    engine : `podman` or `docker`, or a path of one.
    """

    def __init__(self, engine: str) -> None:
        self._engine = engine

    def build(self, tag: str, folder: Path, base: str | None = None) -> dict[str, Any]:
        """Build, ask the image what it declares, and label it: its tag, group and manifest.

        Raises
        ------
        BuildFailed : with the words of the engine or the image.
        """
        chosen = [] if base is None else ["--build-arg", f"BASE={base}"]
        recipe = ["--file", str(folder / RECIPE)]
        self._run("build", "--tag", tag, *recipe, *chosen, str(folder))
        manifest = self._declared(tag)
        digest = digest_of(manifest)
        text = f"FROM {tag}\nLABEL {MANIFEST_LABEL}={digest}\n"
        self._run("build", "--tag", tag, "-", given=text)
        return {"image": tag, "group": manifest["group"]["name"], "manifest": digest}

    def _declared(self, tag: str) -> Any:
        lean = ["--rm", "--network", "none", "--read-only", "--cap-drop", "all"]
        python = ["--entrypoint", "/opt/group/bin/python", tag, "-c", _DECLARE]
        output = self._run("run", *lean, *python).strip()
        try:
            return json.loads(output.splitlines()[-1])
        except (ValueError, IndexError) as error:
            raise BuildFailed(f"{tag} declares nothing.", why=output[-2000:]) from error

    def _run(self, *arguments: str, given: str = "") -> str:
        done = subprocess.run(
            [self._engine, *arguments], input=given, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise BuildFailed(
                f"`{self._engine} {arguments[0]}` ended with exit code {done.returncode}.",
                why="\n".join((done.stderr or done.stdout).strip().splitlines()[-20:]),
                fix="See what it says; a missing base image can be named with --base.",
            )
        return done.stdout


def digest_of(manifest: Any) -> str:
    """'sha256:' and the hash of a manifest, written with sorted keys and no spaces."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _engine(given: str | None) -> str:
    names = (given,) if given else ENGINES
    found = next((name for name in names if shutil.which(name)), None)
    if found is None:
        raise EngineMissing(
            f"There is no {' or '.join(names)} here.",
            fix="Install one of them, or build the Containerfile elsewhere.",
        )
    return found
