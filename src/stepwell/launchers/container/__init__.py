"""Images as containers of Docker or Podman, by the Docker Engine API.

`launcher` has the verbs of a launcher, `engine` is the client of the API, `options`
what every container gets, `references` names of images, `words` ends in words,
`output` what was written, and `marks` what must be known of a stop after a restart.
"""

from stepwell.launchers.container.launcher import ContainerLauncher
from stepwell.launchers.container.options import ContainerOptions

__all__ = ["ContainerLauncher", "ContainerOptions"]
