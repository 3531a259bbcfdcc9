"""Compare a discovery with the current release, decide, and make the next release."""
