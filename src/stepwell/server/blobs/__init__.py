"""What is large: uploaded first, referred to in a transaction, swept when it is not (R38)."""
