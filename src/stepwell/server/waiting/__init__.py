"""Why is it waiting? One function for the API, the command line and the screens."""
