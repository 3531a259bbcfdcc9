"""What every launcher must do: two classes to subclass in a test.

`LauncherContract` is about the verbs of `launchers.protocol`, with small scripts as images:

class TestMyLauncher(LauncherContract):
    def make(self, folder):
        return MyLauncher(folder, log_bytes=LOG_BYTES, grace_seconds=GRACE)

    def image(self, folder, script):
        return <the name of an image that runs the Python text `script`>

`RunsContract` is about what runs hold with it, with a server that is really killed: R15, R33,
R34 and R35. It registers a group through the API, so all of a server is in it:

class TestRunsOfMine(RunsContract):
    launcher = "mine"

    def settings(self, folder):
        return {"STEPWELL_MINE_ADDRESS": "..."}   # of the server, beside the usual ones

    def group(self, folder):
        return <the name of an image that runs the workflow group `SAMPLE`>

    def kill(self, launch):
        ...                                       # as the kernel, or the loss of a machine, does

    def living(self):
        return <the names of the launches that have a process now>

No test shares files with an image or guesses how it is run, so the same two classes hold for
processes, containers, a cluster, and a fake of a cluster. What cannot be shown with a launcher is
named in the class attribute `lacks`; tests of that are skipped by name, and nothing else ever is.
"""

from stepwell.testing.launcher_contract.base import GRACE, LOG_BYTES, ContractBase, needs, until
from stepwell.testing.launcher_contract.ending import EndingContract
from stepwell.testing.launcher_contract.keeping import KeepingContract
from stepwell.testing.launcher_contract.place import SAMPLE, Place
from stepwell.testing.launcher_contract.runs import RunsContract
from stepwell.testing.launcher_contract.starting import StartingContract

__all__ = [
    "GRACE",
    "LOG_BYTES",
    "SAMPLE",
    "ContractBase",
    "LauncherContract",
    "Place",
    "RunsContract",
    "needs",
    "until",
]


class LauncherContract(StartingContract, EndingContract, KeepingContract):
    """The verbs."""
