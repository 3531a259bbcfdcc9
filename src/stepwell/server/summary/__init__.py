"""Whether everything is all right, and what comes first if it is not."""
