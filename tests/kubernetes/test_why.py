"""What a run waits for in the cluster, asked as people ask: `stepwell why`, over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import update
from tests.kubernetes.conftest import GROUP as SOURCE
from tests.kubernetes.served import Served, client
from tests.kubernetes.target import IMAGE, PATIENCE, Target
from tests.kubernetes.test_reasons import PRIVILEGED
from tests.server.runs.support import release, started

from stepwell.server.app import Server
from stepwell.server.database.tables import groups
from stepwell.testing.launcher_contract import until
from stepwell.workflows.describing import describe
from stepwell.workflows.loading import load_group

DIGEST = "sha256:" + "ab" * 32


def grouped(server: Server, name: str, image: str, options: dict[str, Any]) -> None:
    """A released group that asks its launcher for something."""
    (entry,) = describe(*load_group(SOURCE)).manifest.as_json()["workflows"]
    release(server, entry, group=name, image=image, digest=DIGEST)
    given = {"launcher": "kubernetes", "launch_options": options}
    with server.db.write() as conn:
        conn.execute(update(groups).where(groups.c.name == name).values(**given))


def sentence(api: httpx.Client, run_id: UUID, code: str) -> str:
    """What is said of a run, when the reason is that one."""

    def asked() -> str:
        found = api.get(f"/runs/{run_id}/why").json()
        return found["sentence"] if (found["reason"] or {}).get("code") == code else ""

    return str(until(asked, PATIENCE))


def test_each_thing_that_a_cluster_lacks_is_said_in_a_sentence(
    tmp_path: Path, target: Target
) -> None:
    """With what people need to mend it; the last one is kept with the attempt, too."""
    full = target.make_namespace()
    strict = target.make_namespace(**{"pod-security.kubernetes.io/enforce": "restricted"})
    quota = {"metadata": {"name": "team"}, "spec": {"hard": {"pods": "0"}}}
    target.api.ask("POST", f"/api/v1/namespaces/{full}/resourcequotas", quota)
    served = Served(tmp_path, target, kubernetes_namespaces=(full, strict))
    env = {"PASSWORD": {"secret": "nowhere", "key": "password"}}
    asked: dict[str, tuple[str, str, dict[str, Any]]] = {
        "large": ("K8S_UNSCHEDULABLE", IMAGE, {"requests": {"cpu": "9000"}}),
        "missing": ("K8S_IMAGE", "localhost/stepwell-missing:3", {}),
        "secretive": ("K8S_CONFIG", IMAGE, {"env": env}),
        "crowded": ("K8S_QUOTA", IMAGE, {"namespace": full}),
        "privileged": ("K8S_ADMISSION", IMAGE, {"namespace": strict, "patch": PRIVILEGED}),
    }
    served.server().db.migrate()
    with served.listening() as server, client(server) as api:
        for name, (_, image, options) in asked.items():
            grouped(server, name, image, options)
        runs = {name: started(server, {"day": "2026-01-31"}, name) for name in asked}
        told = {name: sentence(api, runs[name], asked[name][0]) for name in asked}
        assert told["large"].startswith("Needs 9000 CPU; the largest node has ")
        assert told["missing"].startswith("Cannot pull localhost/stepwell-missing:3: ")
        assert told["secretive"].startswith("Secret *nowhere* not found in namespace *")
        assert told["crowded"].startswith("The quota *team* of pods is full: 0 of 0 are used")
        assert told["privileged"].startswith("Policy *PodSecurity* rejected the Job: ")
        for run_id in runs.values():
            api.post(
                f"/runs/{run_id}/cancellations", json={}, headers={"Idempotency-Key": str(run_id)}
            )
