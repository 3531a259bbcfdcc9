"""Any step as a Job: steps of some names run in containers, outside of any workflow group."""
