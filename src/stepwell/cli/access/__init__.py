"""Who may speak to the server: login, tokens, users."""
