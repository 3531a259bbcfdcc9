"""Saved views: a query and columns under a name, private or shared."""
