"""Images of an engine: pulled, pinned by digest, and kept by a tag (R37)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from stepwell.launchers.container.engine import ContainerEngine, Refused
from stepwell.launchers.container.references import (
    Reference,
    kept_in,
    kept_tag,
    parse,
    repo_digests,
)
from stepwell.launchers.protocol import ImageUnusable, LaunchFailed, Pinned

_FINAL: Final = ("not found", "unknown", "denied", "unauthorized", "no such", "invalid reference")
"""Words of registries that mean: asking again will not help."""


class Images:
    """The verbs of a launcher that are about images.

    Parameters
    ----------
    engine : whose images.
    owner : names the installation that keeps them.
    """

    def __init__(self, engine: ContainerEngine, owner: str) -> None:
        self._engine, self._repository = engine, kept_in(owner)

    def pin(self, image: str) -> Pinned:
        """Have the image here as it is now, and tag it so that no pruning takes it."""
        found = self._here(image)
        digest = self._digest(parse(image), found)
        self._keep(found["Id"], digest)
        return Pinned(digest=digest, location=self._location(image, digest, found))

    def digest(self, image: str) -> str:
        """The digest that `pin` would answer; a registry is asked without a pull if it can be."""
        reference = parse(image)
        if reference.qualified and (told := self._distribution(image)):
            return told
        return self._digest(reference, self._here(image))

    def locate(self, image: str, digest: str) -> str:
        """What to start: the kept image, or the registry's by its digest."""
        found = self.inspect(f"{self._repository}:{kept_tag(digest)}")
        reference = parse(image)
        if found is None and not reference.qualified:
            raise ImageUnusable(
                f"The image {digest} is not on this host.",
                why="It was removed, or the container engine is another one.",
                fix="Discover and approve the group again, or push images to a registry.",
            )
        return reference.at(digest) if found is None else self._location(image, digest, found)

    def inspect(self, image: str) -> dict[str, Any] | None:
        """What the engine knows of an image that it has; None if it has none."""
        try:
            found: dict[str, Any] | None = self._engine.find(f"/images/{_quoted(image)}/json")
        except Refused as refused:
            raise _unusable(image, refused.message) from refused
        return found

    def here_or_of_registry(self, image: str) -> dict[str, Any] | None:
        """What the engine knows of an image, or None for one that could be pulled."""
        found = self.inspect(image)
        if found is None and parse(image).local:
            raise _of_nowhere(image)
        return found

    def pull(self, image: str) -> None:
        """Get an image from its registry.

        Raises
        ------
        ImageUnusable : the registry has no such image, or lets nobody have it.
        LaunchFailed : it did not work now.
        """
        reference = parse(image)
        if reference.local:
            raise _of_nowhere(image)
        query = {"fromImage": reference.repository, "tag": reference.tag or reference.digest}
        try:
            with self._engine.stream("POST", "/images/create", **query) as pieces:
                error = _error(b"".join(pieces))
        except Refused as refused:
            error = refused.message
        if error:
            raise _not_pulled(image, error)

    def drop(self, needed: Iterable[str], before: float) -> int:
        """Remove the tags of images that were made before that instant and that nobody needs.

        Parameters
        ----------
        needed : digests.
        before : seconds since the epoch.
        """
        tags = {kept_tag(digest) for digest in needed}
        gone = [name for name in self._kept(before) if name.rpartition(":")[2] not in tags]
        for name in gone:
            self._engine.ask("DELETE", f"/images/{_quoted(name)}")
        return len(gone)

    def _kept(self, before: float) -> list[str]:
        filters = json.dumps({"reference": [f"{self._repository}:*"]})
        images = self._engine.ask("GET", "/images/json", filters=filters)
        old = (one for one in images if one["Created"] < before)
        names = (name for one in old for name in one.get("RepoTags") or ())
        return [name for name in names if name.startswith(f"{self._repository}:")]

    def _here(self, image: str) -> dict[str, Any]:
        reference = parse(image)
        found = None if reference.qualified and reference.tag else self.inspect(image)
        if found is None:
            self.pull(image)
            found = self.inspect(image)
        if found is None:
            raise LaunchFailed(f"The image {image} was pulled, and is not there.")
        return found

    def _digest(self, reference: Reference, found: Mapping[str, Any]) -> str:
        """The registry's digest, which other hosts can pull; of a local image its id."""
        told = repo_digests(reference, found.get("RepoDigests") or ())
        if not reference.qualified or not told:
            return _id(found)
        return told[0] if len(told) == 1 else self._of_registry(reference, told)

    def _of_registry(self, reference: Reference, told: Sequence[str]) -> str:
        """The one of several that the registry knows; its layers are here already."""
        for digest in told:
            try:
                self.pull(reference.at(digest))
            except ImageUnusable:
                continue
            return digest
        return told[0]

    def _keep(self, image_id: str, digest: str) -> None:
        path = f"/images/{_quoted(image_id)}/tag"
        self._engine.ask("POST", path, repo=self._repository, tag=kept_tag(digest))

    def _location(self, image: str, digest: str, found: Mapping[str, Any]) -> str:
        by_registry = parse(image).qualified and digest != _id(found)
        return parse(image).at(digest) if by_registry else _id(found)

    def _distribution(self, image: str) -> str | None:
        try:
            told = self._engine.ask("GET", f"/distribution/{_quoted(image)}/json")
        except (Refused, LaunchFailed):  # Podman does not offer it: then by a pull
            return None
        digest: str | None = (told or {}).get("Descriptor", {}).get("digest")
        return digest


def _id(found: Mapping[str, Any]) -> str:
    text = str(found["Id"])
    return text if ":" in text else f"sha256:{text}"


def _quoted(image: str) -> str:
    return quote(image, safe="/:@")


def _error(stream: bytes) -> str:
    """The error among the lines of a pull's progress; empty without one."""
    lines = (json.loads(line) for line in stream.splitlines() if line.strip())
    return next((str(one["error"]) for one in lines if one.get("error")), "")


def _not_pulled(image: str, error: str) -> ImageUnusable | LaunchFailed:
    if any(word in error.lower() for word in _FINAL):
        return _unusable(image, error)
    return LaunchFailed(
        f"The image {image} could not be pulled now.",
        why=f"The registry's answer: {error}",
        fix="See whether the registry can be reached from this host.",
    )


def _of_nowhere(image: str) -> ImageUnusable:
    return _unusable(image, "It is of no registry, and not on this host.")


def _unusable(image: str, error: str) -> ImageUnusable:
    return ImageUnusable(
        f"There is no image {image} here, and it could not be pulled.",
        why=f"The answer: {error}",
        fix="Correct its name, build it (`stepwell image build`), or log the container engine in "
        "to its registry.",
    )
