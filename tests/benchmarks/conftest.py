"""`podman`, as tests of the container launcher have it."""

from tests.launchers.container.conftest import podman

__all__ = ["podman"]
