"""One strip per schedule: what was, what comes, and how many runs go on at once."""
