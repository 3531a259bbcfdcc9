"""Whatever goes wrong between a server and its cluster: never twice at once, never for ever."""

from __future__ import annotations

import threading
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
from tests.kubernetes.fake.cluster import Cluster
from tests.kubernetes.proxy import Proxy
from tests.kubernetes.target import IMAGE, PATIENCE, Launches, Target, cut

from stepwell import clock
from stepwell.launchers.kubernetes.api import KubernetesApi
from stepwell.launchers.kubernetes.options import group_options
from stepwell.launchers.protocol import LaunchFailed
from stepwell.testing.launcher_contract import until

WAIT = "import time; print('up', flush=True); time.sleep(600)"


def pods(target: Target, name: str) -> int:
    return len(target.of_launch("pods", name))


def test_a_job_whose_answer_was_lost_is_found_when_it_is_asked_for_again(
    target: Target, proxy: Proxy, cut_off: Launches
) -> None:
    """Created, and the server does not know: the next try gets 409, and goes on with it."""
    cut_off.ended(cut_off.start("pass"))  # connections are open, and watches wait
    name = next(one for one in map("unheard-{}".format, range(9)) if _unheard(proxy, cut_off, one))
    assert len(target.of_launch("jobs", name)) == 1
    handle = cut_off.start("print('hello')", name=name)
    assert cut_off.ended(handle).exit_code == 0
    assert len(target.of_launch("jobs", name)) == 1
    assert pods(target, name) == 1


def _unheard(proxy: Proxy, launches: Launches, name: str) -> bool:
    """Whether the answer that was lost was one to the start; it may be one to a watch."""
    proxy.lose_next_answer()
    try:
        launches.start("print('hello')", name=name)
    except LaunchFailed as error:
        return "does not answer" in str(error)
    return False


def test_a_server_that_dies_before_the_job_leaves_nothing(
    target: Target, launches: Launches
) -> None:
    """There is an intent in the database, and no Job: it was never started."""
    status = launches.launcher.poll(launches.launcher.find("intended-1"))
    assert (status.state, status.reason) == ("ended", "It was never started here.")
    handle = launches.start("pass", name="intended-1")
    assert launches.ended(handle).exit_code == 0


def test_a_server_that_dies_between_job_and_secret_is_followed_by_one_that_goes_on(
    target: Target, launches: Launches
) -> None:
    """The Job is suspended meanwhile: it has no pod, and does not wait for a Secret."""
    spec = launches.spec("import os; print(os.environ['A'])", "half-1", environment={"A": "b"})
    place = launches.launcher.places[target.namespace]
    made = launches.launcher._job(spec, group_options(spec.options))
    launches.launcher.requests.create(place, made)
    other = Launches(target.make())
    handle = other.launcher.find("half-1")
    assert other.launcher.poll(handle).state == "running"
    assert pods(target, "half-1") == 0
    assert other.ended(other.launcher.start(spec)).exit_code == 0
    assert other.launcher.logs(handle).strip() == "b"
    assert len(target.of_launch("secrets", "half-1")) == 1
    other.launcher.close()


def test_a_job_that_nobody_goes_on_with_is_swept_away(
    target: Target, launches: Launches, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It owns its Secret, so nothing is orphaned."""
    spec = launches.spec(WAIT, "half-2")
    place = launches.launcher.places[target.namespace]
    made = launches.launcher._job(spec, group_options(spec.options))
    launches.launcher.requests.create(place, made)
    monkeypatch.setattr("stepwell.launchers.kubernetes.launcher.NEEDLESS", timedelta(0))
    until(lambda: "half-2" in launches.launcher.leftovers(clock.now()), PATIENCE)
    launches.launcher.remove("half-2")
    until(lambda: not target.of_launch("jobs", "half-2"), PATIENCE)


def test_an_api_server_that_is_away_is_a_pause(
    target: Target, proxy: Proxy, cut_off: Launches, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is decided meanwhile; what has ended meanwhile is seen when it is back."""
    monkeypatch.setattr("stepwell.launchers.kubernetes.places.STALE", 0.3)
    handle = cut_off.start(WAIT, name="away-1")
    cut_off.runs(handle)
    with cut(proxy):
        until(lambda: _away(cut_off, "away-1"), PATIENCE)
        with pytest.raises(LaunchFailed):
            cut_off.start("pass", name="away-2")
        other = Launches(target.make())
        other.launcher.stop(handle)
        other.ended(handle)
        other.launcher.close()
    until(lambda: not _away(cut_off, "away-1"), PATIENCE)
    assert cut_off.ended(handle).reason == "It was stopped on request."
    assert cut_off.ended(cut_off.start("pass", name="away-2")).exit_code == 0


def test_a_gap_in_the_watch_is_closed_by_a_new_list(cluster: Cluster, target: Target) -> None:
    """410 Gone: the cluster has forgotten where the watch was."""
    launches = Launches(target.make())
    handle = launches.start(WAIT, name="gap-1")
    launches.runs(handle)
    lists = [one.lists for one in launches.launcher.places[target.namespace].mirrors[:2]]

    def leap() -> None:
        pod = next(cluster.objects.select("pods", **{"stepwell.launch": "gap-1"}))
        cluster.nodes.processes[pod["metadata"]["name"]].kill()
        for one in cluster.objects.select("jobs"):
            cluster.objects.change("jobs", one)
        cluster.objects.compact()

    cluster.do(leap)
    assert "SIGKILL" in launches.ended(handle).reason
    mirrors = launches.launcher.places[target.namespace].mirrors[:2]
    until(lambda: [one.lists for one in mirrors] > lists, PATIENCE)
    launches.launcher.close()


def test_how_a_pod_ended_is_known_though_its_watch_is_behind_that_of_jobs(
    target: Target, launches: Launches
) -> None:
    """The two are told by connections of their own, in any order."""
    place = launches.launcher.places[target.namespace]
    place.check()
    place.mirrors[1].close()  # from here on it takes no news
    status = launches.ended(launches.start("raise SystemExit(3)", name="behind-1"))
    assert (status.exit_code, status.reason) == (3, "It ended with exit code 3.")


def test_what_a_name_means_is_known_though_the_watch_of_pods_is_behind(
    target: Target, launches: Launches
) -> None:
    """The Job that looked is over: its pod is asked for."""
    place = launches.launcher.places[target.namespace]
    place.check()
    place.mirrors[1].close()
    assert launches.launcher.pin(IMAGE).digest.startswith("sha256:")


def test_a_watch_from_a_version_that_is_forgotten_begins_anew(
    target: Target, launches: Launches
) -> None:
    """As after a long pause; whatever the cluster, version 1 is long gone."""
    place = launches.launcher.places[target.namespace]
    place.check()
    mirror = place.mirrors[0]
    with pytest.raises(Exception) as caught:
        mirror._followed("1")
    assert type(caught.value).__name__ == "_Forgotten"


def test_a_connection_is_closed_by_who_reads_it(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closed beneath its reader, its number is soon another's, whose bytes TLS would take."""
    closing: list[threading.Thread] = []
    real = httpx.Client.close

    def noted(client: httpx.Client) -> None:
        closing.append(threading.current_thread())
        real(client)

    launcher = target.make()
    place = launcher.places[target.namespace]
    place.check()
    until(lambda: len(launcher.api._streams) == len(place.mirrors), PATIENCE)
    monkeypatch.setattr(httpx.Client, "close", noted)
    launcher.close()
    readers = [one._thread for one in place.mirrors]
    for one in readers:
        one.join(PATIENCE)
    assert not any(one.is_alive() for one in readers)
    assert set(closing) <= set(readers)
    assert closing


def test_two_servers_at_once_see_and_do_the_same(target: Target, launches: Launches) -> None:
    """Both start, both stop, both are told of the end; there is one pod and one end."""
    other = Launches(target.make())
    handle = launches.start(WAIT, name="both-1")
    assert other.start(WAIT, name="both-1") == handle
    other.runs(handle)
    launches.runs(handle)
    ends = [threading.Thread(target=one.launcher.stop, args=(handle,)) for one in (launches, other)]
    for one in ends:
        one.start()
    for one in ends:
        one.join()
    assert launches.ended(handle).reason == other.ended(handle).reason
    assert launches.ended(handle).reason == "It was stopped on request."
    other.launcher.close()


def test_what_was_stopped_is_not_started_by_a_server_that_comes_late(
    target: Target, launches: Launches
) -> None:
    """The stop stays on the Job, whoever asks."""
    handle = launches.start(WAIT, name="late-1")
    launches.runs(handle)
    launches.launcher.stop(handle)
    launches.ended(handle)
    other = Launches(target.make())
    assert other.start(WAIT, name="late-1") == handle
    assert other.ended(handle).reason == "It was stopped on request."
    until(lambda: pods(target, "late-1") == 0, PATIENCE)
    other.launcher.close()


def test_what_was_written_before_a_stop_is_kept(launches: Launches) -> None:
    """The pod goes with its output."""
    handle = launches.start(WAIT, name="written-1")
    until(lambda: "up\n" in launches.launcher.logs(handle), PATIENCE)
    launches.launcher.stop(handle)
    launches.ended(handle)
    assert launches.launcher.logs(handle).split() == ["up"]


def test_clocks_that_differ_do_not_confuse_times(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This server's clock is an hour ahead of the cluster's; instants are by this server's."""
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=1))
    launches = Launches(target.make())
    before = clock.now()
    handle = launches.start("pass", name="clock-1")
    status = launches.ended(handle)
    assert status.started_at is not None
    assert status.finished_at is not None
    near = timedelta(seconds=5)
    assert before - near <= status.started_at <= status.finished_at <= clock.now()
    late = launches.start(WAIT, name="clock-2", deadline_seconds=2)
    assert launches.ended(late).reason.startswith("It ran longer than its deadline")
    launches.launcher.close()


def test_a_slow_answer_is_no_difference_of_clocks(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The instant that it tells is one between the question and the answer."""
    real, api = clock.now, KubernetesApi(target.access)
    late = iter([timedelta(0)])
    monkeypatch.setattr(clock, "now", lambda: real() + next(late, timedelta(seconds=30)))
    answer = httpx.Response(200, headers={"Date": format_datetime(real(), usegmt=True)})
    api._compare(answer, clock.now())
    assert api.offset == timedelta(0)
    api._compare(answer, clock.now())  # this one came at once: this machine is ahead
    assert timedelta(seconds=-32) < api.offset < timedelta(seconds=-28)
    api.close()


def test_a_launch_in_another_namespace_is_found_by_its_name(target: Target) -> None:
    """After a crash there is a name and no handle."""
    space = target.make_namespace()
    first = Launches(target.make(namespaces=(space,)))
    handle = first.start("pass", name="elsewhere-1", options={"namespace": space})
    assert handle["namespace"] == space
    first.launcher.close()
    second = Launches(target.make(namespaces=(space,)))
    found = second.launcher.find("elsewhere-1")
    assert "namespace" not in found
    assert second.ended(found).exit_code == 0
    second.launcher.close()


def test_the_image_is_the_one_that_was_named(launches: Launches) -> None:
    """Sanity of this suite: the image runs Python."""
    handle = launches.start("import sys; print(sys.version_info[:2] >= (3, 11))", image=IMAGE)
    assert launches.ended(handle).exit_code == 0
    assert launches.launcher.logs(handle).strip() == "True"


def _away(launches: Launches, name: str) -> bool:
    try:
        launches.launcher.poll(launches.launcher.find(name))
    except LaunchFailed:
        return True
    return False
