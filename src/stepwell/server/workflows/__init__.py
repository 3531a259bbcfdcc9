"""What is in force: every workflow of every group's current release, with how it went lately."""
