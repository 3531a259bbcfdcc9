"""What starts images: the launchers of this server, and what they may do where they work."""
