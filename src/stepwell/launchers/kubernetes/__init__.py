"""Images as Jobs of a Kubernetes cluster, by its API.

`launcher` has the verbs of a launcher. `access` and `kubeconfig` say which cluster and as
whom, `api` is the client, `mirror` a list with its watch, `book` what was seen, `places` a
namespace with all of that. `options` is what Jobs get and groups ask for, `body` the objects
and `patching` their patches; `requests` makes and ends them. `conditions` says what a launch
waits for and `words` how it ended. `permissions` is the one list of what all that needs.
"""

from stepwell.launchers.kubernetes.launcher import KubernetesLauncher
from stepwell.launchers.kubernetes.options import KubernetesOptions

__all__ = ["KubernetesLauncher", "KubernetesOptions"]
