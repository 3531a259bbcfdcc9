"""One action on many runs, tracked from the preview to the last failure."""
