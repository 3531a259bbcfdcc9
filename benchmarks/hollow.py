"""A node of a real cluster that starts pods at once and runs nothing: all that is left is the
cluster itself, and who asks it for Jobs. The counterpart of the cluster that tests play."""

from __future__ import annotations

import json
import os
import secrets
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from stepwell.launchers.kubernetes.api import MERGE, KubernetesApi, Refused
from stepwell.launchers.protocol import LaunchFailed
from stepwell.testing.launcher_contract import until

Object = dict[str, Any]

ROOM: Final = {"cpu": "10000", "memory": "10000Gi", "pods": "10000"}
HOST: Final = os.environ.get("STEPWELL_TEST_HOST", "127.0.0.1")
RENEWED: Final = 10.0
"""Seconds between two signs of life of a node."""
_LEASES: Final = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


class HollowNode:
    """A node, and a namespace whose pods it takes; both go when it is closed. The API server asks
    it for what pods wrote, at `STEPWELL_TEST_HOST`.

    Parameters
    ----------
    created, began : called with each pod that is made, and with each that runs.
    """

    def __init__(
        self, api: KubernetesApi, created: Callable[[Object], None], began: Callable[[Object], None]
    ) -> None:
        self._api, self._created, self._began = api, created, began
        self.name = f"stepwell-hollow-{secrets.token_hex(3)}"
        self.namespace = self.name
        self._closed = threading.Event()
        self._kubelet = _kubelet()
        self._known: dict[str, bool] = {}

    @property
    def options(self) -> Object:
        """Launch options by which pods come here."""
        return {
            "node_selector": {"kubernetes.io/hostname": self.name},
            "tolerations": [{"key": "stepwell-hollow", "operator": "Exists"}],
        }

    def open(self) -> None:
        """Register, and begin to take pods."""
        self._api.ask("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        until(lambda: self._api.find(self._in("serviceaccounts/default")), 90)
        self._register()
        threading.Thread(target=self._renew, daemon=True).start()
        threading.Thread(target=self._take, daemon=True).start()
        until(self._ready, 90)

    def end(self, pod: Object) -> None:
        """Its one container has ended well."""
        ended = {"exitCode": 0, "reason": "Completed", "startedAt": _now(), "finishedAt": _now()}
        self._tell(pod, "Succeeded", "False", terminated=ended)

    def close(self) -> None:
        """Leave nothing in the cluster."""
        self._api.ask("DELETE", f"/api/v1/namespaces/{self.namespace}")
        until(lambda: self._api.find(f"/api/v1/namespaces/{self.namespace}") is None, 300)
        self._closed.set()
        self._api.ask("DELETE", f"/api/v1/nodes/{self.name}")
        self._kubelet.shutdown()

    def _in(self, rest: str) -> str:
        return f"/api/v1/namespaces/{self.namespace}/{rest}"

    def _register(self) -> None:
        labels = {"kubernetes.io/hostname": self.name}
        taints = [{"key": "stepwell-hollow", "effect": "NoSchedule"}]
        about = {"name": self.name, "labels": labels}
        self._api.ask("POST", "/api/v1/nodes", {"metadata": about, "spec": {"taints": taints}})
        ready = {"type": "Ready", "status": "True", "reason": "Hollow", "message": ""}
        times = {"lastHeartbeatTime": _now(), "lastTransitionTime": _now()}
        status = {
            "capacity": ROOM,
            "allocatable": ROOM,
            "conditions": [ready | times],
            "addresses": [{"type": "InternalIP", "address": HOST}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._kubelet.server_port}},
        }
        path = f"/api/v1/nodes/{self.name}/status"
        self._api.ask("PATCH", path, {"status": status}, form=MERGE)

    def _ready(self) -> bool:
        taints = self._api.ask("GET", f"/api/v1/nodes/{self.name}")["spec"].get("taints", ())
        return not any(one["key"].startswith("node.kubernetes.io/") for one in taints)

    def _renew(self) -> None:
        about = {"metadata": {"name": self.name}}
        spec = {"holderIdentity": self.name, "leaseDurationSeconds": 40}
        self._api.ask("POST", _LEASES, about | {"spec": spec | {"renewTime": _micro()}})
        while not self._closed.wait(RENEWED):
            with suppress(Refused, LaunchFailed):
                spec["renewTime"] = _micro()
                path = f"{_LEASES}/{self.name}"
                self._api.ask("PATCH", path, {"spec": spec}, form=MERGE)

    def _take(self) -> None:
        """Watch the namespace's pods; those that are placed begin."""
        while not self._closed.is_set():
            with suppress(Refused, LaunchFailed):
                found = self._api.ask("GET", self._in("pods"))
                for one in found["items"]:
                    self._look(one)
                self._follow(found["metadata"]["resourceVersion"])

    def _follow(self, version: str) -> None:
        asked = {"watch": "true", "resourceVersion": version, "timeoutSeconds": "600"}
        with self._api.stream(self._in("pods"), 600, **asked) as answer:
            for line in answer.iter_lines():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                if event["type"] != "DELETED":
                    self._look(event["object"])

    def _look(self, pod: Object) -> None:
        name, about = pod["metadata"]["name"], pod["metadata"]
        if name not in self._known:
            self._known[name] = False
            self._created(pod)
        mine = pod["spec"].get("nodeName") == self.name
        if mine and "deletionTimestamp" in about:
            self._drop(name)
        elif mine and not self._known[name]:
            self._known[name] = True
            self._tell(pod, "Running", "True", running={"startedAt": _now()})
            self._began(pod)

    def _drop(self, name: str) -> None:
        """As a kubelet whose containers have ended."""
        with suppress(Refused, LaunchFailed):
            self._api.ask("DELETE", self._in(f"pods/{name}"), {"gracePeriodSeconds": 0})

    def _tell(self, pod: Object, phase: str, ready: str, **state: Any) -> None:
        image = pod["spec"]["containers"][0]["image"]
        container = {
            "name": pod["spec"]["containers"][0]["name"],
            "image": image,
            "imageID": f"{image}@sha256:{'ab' * 32}",
            "ready": ready == "True",
            "restartCount": 0,
            "state": state,
        }
        conditions = [
            {"type": kind, "status": ready, "lastTransitionTime": _now()}
            for kind in ("Ready", "ContainersReady")
        ]
        status = {"phase": phase, "containerStatuses": [container], "conditions": conditions}
        path = self._in(f"pods/{pod['metadata']['name']}/status")
        with suppress(Refused):  # it was deleted meanwhile
            self._api.ask("PATCH", path, {"status": status}, form=_STRATEGIC)


class _Logs(BaseHTTPRequestHandler):
    """Its pods have written nothing."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *given: Any) -> None:
        pass


def _kubelet() -> ThreadingHTTPServer:
    """What of a kubelet the API server speaks to."""
    server = ThreadingHTTPServer((HOST, 0), _Logs)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = f"{folder}/key", f"{folder}/certificate"
        made = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=hollow"]
        command = [*made, "-keyout", key, "-out", certificate]
        subprocess.run(command, check=True, capture_output=True)
        context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_STRATEGIC: Final = "application/strategic-merge-patch+json"
"""Conditions and containers are merged by their names, so what others have told stays."""
