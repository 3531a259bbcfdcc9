"""What starts the image of a group, for a discovery or an attempt of a run."""
