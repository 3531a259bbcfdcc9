"""A server with the Kubernetes launcher that can be killed: FOLDER PORT KUBECONFIG NAMESPACE."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from tests.kubernetes.served import settings

from stepwell.cli.serving.hosting import serving
from stepwell.cli.serving.listener import bound
from stepwell.engine import heartbeat
from stepwell.server.app import Server

if __name__ == "__main__":
    heartbeat.DEAD_AFTER = 90.0  # type: ignore[misc] # a busy machine lets one stand still for 8 s
    folder, port, kubeconfig, namespace = sys.argv[1:]
    server = Server(settings(Path(folder), int(port), kubeconfig, namespace))
    with serving(server, bound(server.settings.host, server.settings.port)):
        threading.Event().wait()
