"""Programs that do the work under the clock, each in a process of its own."""
