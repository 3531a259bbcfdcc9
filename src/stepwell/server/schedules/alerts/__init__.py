"""What is told of once: a schedule whose tick is late, a run that takes too long."""
