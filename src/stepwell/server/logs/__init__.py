"""What runs have written: segments in the blob store, with an index row each (R39)."""
