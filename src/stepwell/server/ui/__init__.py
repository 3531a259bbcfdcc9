"""The pages that people see: where the built ones are, and how they are handed out."""
