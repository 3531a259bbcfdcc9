"""Settings: what the launcher may do in its cluster, what is missing, and what grants it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Locator, Page, Route, expect
from tests.journeys.browser.conftest import Visit, Watches
from tests.journeys.browser.looking import axe_in_both_themes, fits
from tests.journeys.browser.site import Site, serving
from tests.kubernetes.fake.cluster import Cluster

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster that is played, with an API server that listens."""
    made = Cluster()
    yield made
    made.close()


@pytest.fixture(scope="module")
def jobs(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, bundle: Path
) -> Iterator[Site]:
    """A server that starts Jobs there."""
    folder = tmp_path_factory.mktemp("jobs")
    named = {
        "STEPWELL_KUBERNETES_CONFIG": str(cluster.kubeconfig(folder / "kubeconfig")),
        "STEPWELL_KUBERNETES_NAMESPACE": "jobs",
    }
    with serving(folder, launcher="kubernetes", **named) as site:
        yield site


def opened(page: Page, site: Site) -> Locator:
    """The section of the permissions."""
    page.goto(site.link("/settings?page=launchers"))
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)
    return page.get_by_role("region", name="Permissions in the cluster")


def test_what_is_missing_is_seen_with_the_yaml_that_grants_it(
    visit: Visit, jobs: Site, cluster: Cluster
) -> None:
    cluster.api.granted = lambda asked: (
        asked.get("verb") != "delete" and asked["resource"] != "nodes"
    )
    page = visit("admin", at=jobs)
    section = opened(page, jobs)
    expect(section.get_by_role("status")).to_contain_text("something is missing")
    row = section.get_by_role("row").filter(has_text="jobs.batch")
    expect(row).to_contain_text("delete missing")
    expect(row).to_contain_text("create granted")
    expect(row.get_by_role("button", name="YAML that grants jobs.batch in jobs")).to_be_visible()
    nodes = section.get_by_role("row").filter(has_text="largest node")
    expect(nodes).to_contain_text("optional")
    shown = list(yaml.safe_load_all(section.locator("pre").inner_text()))
    assert [one["kind"] for one in shown] == [
        "ClusterRole",
        "ClusterRoleBinding",
        "Role",
        "RoleBinding",
    ]
    assert shown[2]["metadata"]["namespace"] == "jobs"
    axe_in_both_themes(page)
    page.set_viewport_size({"width": 390, "height": 844})
    expect(section.get_by_role("list", name="Permissions in the cluster")).to_be_visible()
    fits(page)

    cluster.api.granted = lambda asked: True
    section.get_by_role("button", name="Ask again").click()
    expect(section.get_by_role("status")).to_contain_text("all is granted")
    expect(section.locator("pre")).to_have_count(0)


def test_a_cluster_that_refuses_is_told_with_its_reason(
    visit: Visit, watches: Watches, jobs: Site, cluster: Cluster
) -> None:
    def refuses(_: object) -> bool:
        raise RuntimeError("the authorizer is away")

    page = visit("admin", at=jobs)
    watches[page].allow("permissions .*503")
    cluster.api.granted = refuses
    try:
        section = opened(page, jobs)
        alert = section.get_by_role("alert")
        expect(alert).to_contain_text("cannot answer now")
        axe_in_both_themes(page)
    finally:
        cluster.api.granted = lambda asked: True
    alert.get_by_role("button", name="Try again").click()
    expect(section.get_by_role("status")).to_contain_text("all is granted")


def test_while_an_answer_is_on_its_way_rows_stand_for_it_and_nothing_is_claimed(
    visit: Visit, jobs: Site, cluster: Cluster
) -> None:
    page = visit("admin", at=jobs)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(r"/api/v1/launchers(/kubernetes/permissions)?$"), hold)
    page.goto(jobs.link("/settings?page=launchers"))
    launchers = page.get_by_role("region", name="Launchers", exact=True)
    expect(launchers.get_by_role("status", name="Loading")).to_be_visible()
    section = page.get_by_role("region", name="Permissions in the cluster")
    expect(section).to_have_count(0)  # neither a table nor "No cluster": it is not known yet
    axe_in_both_themes(page)

    held.pop().continue_()
    expect(launchers.get_by_role("table", name="Launchers")).to_be_visible()
    expect(section.get_by_role("status", name="Loading")).to_be_visible()
    expect(section.get_by_text("is granted")).to_have_count(0)
    axe_in_both_themes(page)
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)

    held.pop().continue_()
    expect(section.get_by_role("status")).to_contain_text("all is granted")
    expect(section.get_by_role("status", name="Loading")).to_have_count(0)


def test_who_is_no_admin_is_told_who_may_look(visit: Visit, jobs: Site, cluster: Cluster) -> None:
    asked = cluster.api.calls["create selfsubjectaccessreviews"]
    page = visit("operator", at=jobs)
    section = opened(page, jobs)
    expect(section.get_by_text("needs the role admin; yours is operator")).to_be_visible()
    expect(section.get_by_role("button", name="Ask again")).to_have_attribute(
        "aria-disabled", "true"
    )
    assert cluster.api.calls["create selfsubjectaccessreviews"] == asked


def test_without_a_cluster_it_is_said_what_there_is_instead(page: Page, site: Site) -> None:
    section = opened(page, site)
    expect(section).to_contain_text("This server starts images by process")
    here = page.get_by_role("row").filter(has_text=re.compile("^kubernetes"))
    expect(here).to_contain_text("not enabled")
    expect(here).to_contain_text("stepwell serve --launcher kubernetes")


def test_the_command_says_the_same_as_the_page(jobs: Site, cluster: Cluster) -> None:
    told = jobs.shell.good("launchers", "list").out
    assert "stepwell serve --launcher container" in told
    assert "kind: Role" not in jobs.shell.good("launchers", "permissions").out
    cluster.api.granted = lambda asked: asked["resource"] != "events"
    try:
        answer = jobs.shell.type("launchers", "permissions")
    finally:
        cluster.api.granted = lambda asked: True
    assert answer.code == 1
    assert "list, watch" in answer.out
    assert "kind: RoleBinding" in answer.out
