"""Names of images: `host/path:tag`, `host/path@sha256:...`, or what only this host knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

KEPT: Final = "stepwell.local"
"""The host in the names by which launchers keep images from being pruned."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A name of an image, in parts. `tag` is empty where there is a digest."""

    repository: str
    tag: str
    digest: str

    @property
    def qualified(self) -> bool:
        """Whether it names a registry, which is then asked; others are looked for here first."""
        host, slash, _ = self.repository.partition("/")
        return bool(slash) and host != "localhost" and ("." in host or ":" in host)

    @property
    def local(self) -> bool:
        """Whether it can only be on this host: built there, or named by its id."""
        return self.repository.startswith("localhost/") or self.repository == "sha256"

    def at(self, digest: str) -> str:
        """The name of exactly that image."""
        return f"{self.repository}@{digest}"


def parse(image: str) -> Reference:
    """Take a name apart; without tag and digest it is `latest`."""
    name, _, digest = image.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return Reference(head + slash + last, "" if digest else tag or "latest", digest)


def repo_digests(reference: Reference, known: Sequence[str]) -> list[str]:
    """The digests among those known that are told for the reference's repository.

    Podman tells one that a registry has never seen too, where the image was built on this host.
    """
    found = (one.partition("@") for one in known)
    return list(dict.fromkeys(digest for name, _, digest in found if name == reference.repository))


def kept_tag(digest: str) -> str:
    """`sha256:0a1b...` as a tag."""
    return digest.partition(":")[2] or digest


def kept_in(owner: str) -> str:
    """The repository of all that an installation keeps."""
    return f"{KEPT}/{owner}"
