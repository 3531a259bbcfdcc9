"""Which cluster, and as whom: kubeconfigs with tokens, certificates and plugins; in a pod."""

from __future__ import annotations

import base64
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from stepwell.launchers.kubernetes.access import Identities, Identity, KubeconfigInvalid, in_cluster
from stepwell.launchers.kubernetes.kubeconfig import reached


def config(folder: Path, user: dict[str, Any], name: str = "config", **cluster: Any) -> Path:
    content = {
        "current-context": "one",
        "clusters": [{"name": "c", "cluster": {"server": "https://c.example:6443/", **cluster}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [
            {"name": "one", "context": {"cluster": "c", "user": "u", "namespace": "jobs"}},
            {"name": "two", "context": {"cluster": "c", "user": "u"}},
        ],
    }
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def identity(path: Path) -> Identity:
    return reached(str(path), environment={}).identify()


def test_a_context_says_cluster_user_and_namespace(tmp_path: Path) -> None:
    path = config(tmp_path, {"token": "abc"})
    access = reached(str(path), environment={})
    assert (access.server, access.namespace) == ("https://c.example:6443", "jobs")
    assert access.identify().headers == {"Authorization": "Bearer abc"}
    assert reached(str(path), "two", environment={}).namespace == "default"


def test_a_context_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    path = config(tmp_path, {})
    with pytest.raises(KubeconfigInvalid, match="one, two"):
        reached(str(path), "three", environment={})


def test_of_several_files_the_first_that_has_it_counts(tmp_path: Path) -> None:
    """As kubectl reads KUBECONFIG."""
    first = config(tmp_path, {"token": "first"}, "a")
    second = config(tmp_path, {"token": "second"}, "b")
    access = reached(environment={"KUBECONFIG": f"{first}:{second}"})
    assert access.identify().headers["Authorization"] == "Bearer first"


def test_a_token_file_is_read_again_when_its_time_is_over(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("old\n")
    known = identity(config(tmp_path, {"tokenFile": "token"}))
    assert known.headers["Authorization"] == "Bearer old"
    assert time.time() < known.until < time.time() + 120


def test_certificates_may_be_data_or_files_beside_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("KEY")
    chain = base64.b64encode(b"CHAIN").decode()
    user = {"client-certificate-data": chain, "client-key": "key.pem"}
    assert identity(config(tmp_path, user)).certificate == ("CHAIN", "KEY")


def test_the_authority_may_be_data_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("CA")
    path = config(tmp_path, {}, **{"certificate-authority": "ca.pem"})
    assert reached(str(path), environment={}).authority == "CA"


def test_a_plugin_gives_a_token_until_it_expires(tmp_path: Path) -> None:
    """As the clouds' own commands do."""
    script = tmp_path / "plugin.py"
    script.write_text(
        "import json, os\n"
        "assert json.loads(os.environ['KUBERNETES_EXEC_INFO'])['kind'] == 'ExecCredential'\n"
        "status = {'token': os.environ['GIVEN'], 'expirationTimestamp': '2036-01-01T00:00:00Z'}\n"
        "print(json.dumps({'kind': 'ExecCredential', 'status': status}))\n"
    )
    command = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": [str(script)],
        "env": [{"name": "GIVEN", "value": "from-plugin"}],
    }
    known = identity(config(tmp_path, {"exec": command}))
    assert known.headers["Authorization"] == "Bearer from-plugin"
    assert known.until == pytest.approx(2082758390, abs=20)


def test_a_plugin_that_fails_says_why(tmp_path: Path) -> None:
    command = {"command": sys.executable, "args": ["-c", "raise SystemExit('log in first')"]}
    with pytest.raises(KubeconfigInvalid, match="log in first"):
        identity(config(tmp_path, {"exec": command}))


def test_an_identity_is_made_anew_when_it_is_over_or_refused() -> None:
    made: list[Identity] = []

    def identify() -> Identity:
        made.append(Identity({"n": str(len(made))}, until=time.time() + (0 if not made else 60)))
        return made[-1]

    known = Identities(identify)
    known.now()
    second = known.now()
    assert second is known.now()
    known.forget(second)
    assert known.now() is made[2]


def test_a_pod_finds_its_own_cluster(tmp_path: Path) -> None:
    for name, text in {"token": "t", "ca.crt": "CA", "namespace": "mine\n"}.items():
        (tmp_path / name).write_text(text)
    environment = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    access = in_cluster(tmp_path, environment)
    assert (access.server, access.namespace) == ("https://10.0.0.1:443", "mine")
    assert access.identify().headers == {"Authorization": "Bearer t"}


def test_without_any_cluster_the_words_say_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigInvalid, match="Set KUBECONFIG"):
        reached(environment={"HOME": str(tmp_path)})
