"""The query language of runs: the same in the API, on the command line and on the screen."""
