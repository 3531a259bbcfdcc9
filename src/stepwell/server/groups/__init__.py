"""Workflow groups: an image, how it is started, and which release of it is current."""
