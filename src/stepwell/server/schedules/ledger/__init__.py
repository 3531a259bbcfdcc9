"""What became of each due instant: entered line by line, in one transaction with its run."""
