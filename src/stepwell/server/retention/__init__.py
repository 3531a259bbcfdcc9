"""How long the steps of runs, and the server's own, are kept."""
