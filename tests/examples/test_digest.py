"""The parts of the digest example, on the real text and a real mail server."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from digest import analysis, mail
from tests.cli.shell import EXAMPLES, Shell
from tests.ports import free_port

from stepwell.cli.exits import Exit


class Sink:
    """Keeps what it gets."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.kept.append(envelope.content)
        return "250 OK"


@pytest.fixture
def sink() -> Iterator[tuple[str, Sink]]:
    kept = Sink()
    port = free_port()
    controller = Controller(kept, hostname="127.0.0.1", port=port, ready_timeout=90)
    controller.start()
    yield f"127.0.0.1:{port}", kept
    controller.stop()


def test_words_and_sentences_are_counted() -> None:
    found = analysis.analyse("The step runs. The step ends! Steps end well.", most=1)
    assert (found.words, found.sentences) == (9, 3)
    assert found.frequent == [("step", 2)]


def test_short_words_read_more_easily_than_long_ones() -> None:
    easy = analysis.analyse("A cat sat on a mat.", 1).reading_ease
    hard = analysis.analyse("Interoperability necessitates standardisation.", 1).reading_ease
    assert easy > 90 > hard


def test_a_real_topic_gives_believable_figures() -> None:
    found = analysis.analyse(topics["assignment"], 8)
    assert found.words > 1000
    assert 0 < found.reading_ease < 100
    assert found.frequent[0][0] in {"target", "assignment"}


def test_the_letter_arrives(sink: tuple[str, Sink]) -> None:
    server, kept = sink
    mail.send(server, mail.letter("a@example.org", "b@example.org", "Hej", "Text", "<1@x>"))
    arrived = message_from_bytes(kept.kept[0])
    assert (arrived["Subject"], arrived["Message-ID"]) == ("Hej", "<1@x>")


def test_without_a_server_the_error_says_how_to_start_one() -> None:
    letter = mail.letter("a@example.org", "b@example.org", "Hej", "Text", "<1@x>")
    with pytest.raises(ConnectionError, match="aiosmtpd"):
        mail.send("127.0.0.1:1", letter)


def test_the_workflow_sends_the_next_topic_each_time(
    sink: tuple[str, Sink], tmp_path: Path
) -> None:
    server, kept = sink
    shell = Shell(tmp_path, DIGEST_SMTP=server)
    for _ in range(2):
        shell.good("run", EXAMPLES / "digest", "text-digest", "--state", "kept.json")
    subjects = [message_from_bytes(letter)["Subject"] for letter in kept.kept]
    first, second = sorted(topics)[:2]
    assert subjects == [f"Digest of {first!r}", f"Digest of {second!r}"]


def test_a_topic_that_was_not_sent_is_taken_again(sink: tuple[str, Sink], tmp_path: Path) -> None:
    server, kept = sink
    words = ("run", EXAMPLES / "digest", "text-digest", "--state", "kept.json")
    assert Shell(tmp_path, DIGEST_SMTP="127.0.0.1:1").type(*words).code == Exit.FAILED
    Shell(tmp_path, DIGEST_SMTP=server).good(*words)
    assert message_from_bytes(kept.kept[0])["Subject"] == f"Digest of {min(topics)!r}"
