"""Fetch a text, analyse it, send the findings by e-mail.

The texts are the language reference's topics that Python itself ships
(`pydoc_data.topics`). Each run takes the next topic; the state store remembers
which was the last.
"""

from digest.workflows import group

__all__ = ["group"]
