"""Workflow groups: register, discover, review, release; and images to run them in."""
