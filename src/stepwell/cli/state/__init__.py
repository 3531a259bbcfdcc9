"""What operations keep from run to run."""
