"""A server with the Kubernetes launcher that can be killed: FOLDER PORT KUBECONFIG NAMESPACE."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from tests.kubernetes.served import settings

from stepwell.server.app import Server

if __name__ == "__main__":
    folder, port, kubeconfig, namespace = sys.argv[1:]
    server = Server(settings(Path(folder), int(port), kubeconfig, namespace))
    with server:
        host = server.settings.host
        uvicorn.run(server.app, host=host, port=int(port), log_level="warning", lifespan="off")
