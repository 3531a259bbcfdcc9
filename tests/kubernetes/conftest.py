"""`target` is the cluster under test, `launches` starts scripts in it as a server would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.kubernetes.fake.cluster import Cluster
from tests.kubernetes.fake.nodes import Image
from tests.kubernetes.proxy import Proxy
from tests.kubernetes.target import IMAGE, NAMED, Launches, Target, be_patient

GROUP = Path(__file__).parent / "image" / "weather.py"
"""What the image of these tests runs."""


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The cluster, with a namespace of this session's own."""
    if NAMED:
        made = Target(Path(NAMED), None)
        yield made
        made.drop_namespaces()
        made.api.close()
        return
    cluster = Cluster()
    command = ("python", "-m", "stepwell.workflows")
    cluster.nodes.images[IMAGE] = Image(command, {"STEPWELL_GROUP": str(GROUP)})
    made = Target(cluster.kubeconfig(tmp_path_factory.mktemp("kube") / "config"), cluster)
    yield made
    made.api.close()
    cluster.close()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for some seconds is neither a cluster that is away, nor a
    container that is dead."""
    be_patient(monkeypatch)


@pytest.fixture
def cluster(target: Target) -> Cluster:
    """The played cluster; a test that needs one is skipped on a real one."""
    if target.cluster is None:
        pytest.skip("this cannot be done to a real cluster")
    return target.cluster


@pytest.fixture
def launches(target: Target) -> Iterator[Launches]:
    """A launcher of the test's own."""
    launcher = target.make()
    yield Launches(launcher)
    launcher.close()


@pytest.fixture
def proxy(target: Target) -> Iterator[Proxy]:
    """A way to the API server that can be cut."""
    made = target.proxy()
    yield made
    made.cut()


@pytest.fixture
def cut_off(target: Target, proxy: Proxy) -> Iterator[Launches]:
    """A launcher whose way to the API server can be cut."""
    launcher = target.make(proxy)
    yield Launches(launcher)
    launcher.close()
