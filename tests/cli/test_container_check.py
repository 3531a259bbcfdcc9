"""What the doctor says of a container engine."""

from __future__ import annotations

from pathlib import Path

from stepwell.cli.doctor.containers import findings


def test_a_server_without_containers_is_not_asked_for_an_engine() -> None:
    assert findings({"STEPWELL_LAUNCHERS": "process"}) == []


def test_an_engine_that_does_not_answer_is_a_problem_with_its_address(tmp_path: Path) -> None:
    """By the launcher's name alone, too: then the usual sockets are looked at."""
    address = f"unix://{tmp_path}/none.sock"
    (one,) = findings({"STEPWELL_CONTAINER_HOST": address})
    assert address in one.what
    (two,) = findings({"STEPWELL_LAUNCHERS": "container", "DOCKER_HOST": address})
    assert address in two.what


def test_an_address_that_cannot_be_is_a_problem_too() -> None:
    (one,) = findings({"STEPWELL_CONTAINER_HOST": "ssh:there"})
    assert "unix://" in one.fix
