"""The group `digest`: its workflow and operations."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pydoc_data.topics import topics

from digest import analysis, mail
from digest.analysis import Analysis
from stepwell.schedules import Every
from stepwell.workflows import Context, WorkflowGroup, operation

SERVER = "DIGEST_SMTP"
"""The environment variable that names the mail server, as host:port."""

group = WorkflowGroup(
    "digest",
    description="Fetch a text, analyse it, send the findings by e-mail.",
    tags=["example", "mail"],
)


@dataclass(frozen=True)
class Text:
    """A text and the topic that it is about."""

    topic: str
    body: str


@dataclass(frozen=True)
class Receipt:
    """What was handed to the mail server."""

    to: str
    subject: str
    message_id: str


@group.workflow(
    schedule=Every(seconds=20),
    description="One topic of the language reference: how long, how hard to read, about what.",
    tags=["text"],
    deadline=300,
)
class TextDigest:
    to: str = "reader@example.org"
    topic: str | None = None
    most: int = 8

    @operation
    def fetch_text(self, context: Context, topic: str | None) -> Text:
        """Take the wanted topic, or the one that follows the last run's in the alphabet."""
        chosen = topic or _after(context.state.get("last-topic", default=""))
        if chosen not in topics:
            raise ValueError(f"there is no topic {chosen!r}; one of them is {min(topics)!r}")
        return Text(chosen, topics[chosen])

    @operation
    def analyse(self, fetch_text: Text, most: int) -> Analysis:
        """Count words and sentences, and judge how hard the text is to read."""
        return analysis.analyse(fetch_text.body, most)

    @operation(tags=["report"])
    def write_up(self, context: Context, fetch_text: Text, analyse: Analysis) -> str:
        """Write the findings up: the letter's text, which is kept as a report too."""
        frequent = "\n".join(f"- {word}: {count}" for word, count in analyse.frequent)
        text = (
            f"# {fetch_text.topic}\n\n{analyse.words} words in {analyse.sentences} sentences, "
            f"{analyse.different_words} different words.\n\n"
            f"Reading ease {analyse.reading_ease} (0 is very hard, 100 very easy).\n\n{frequent}\n"
        )
        context.report.markdown("digest", text)
        return text

    @operation(retries=2, timeout=30, tags=["mail"])
    def send(self, context: Context, to: str, fetch_text: Text, write_up: str) -> Receipt:
        """Send it, under an id made of the run's, so that a copy sent by a retry can be told."""
        subject = f"Digest of {fetch_text.topic!r}"
        message_id = f"<{context.run_id}@digest.example.org>"
        letter = mail.letter("stepwell@example.org", to, subject, write_up, message_id)
        mail.send(os.environ.get(SERVER, "127.0.0.1:1025"), letter)
        context.log.info("sent %r to %s", subject, to)
        context.state.save("last-topic", fetch_text.topic)
        return Receipt(to, subject, message_id)


def _after(topic: str) -> str:
    return min((one for one in topics if one > topic), default=min(topics))
