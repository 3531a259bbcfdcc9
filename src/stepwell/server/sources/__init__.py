"""Where images are found: registries and folders, and what was found there."""
