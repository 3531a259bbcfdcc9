"""Whether an image keeps the protocol of workflow groups: played through, and reported."""
