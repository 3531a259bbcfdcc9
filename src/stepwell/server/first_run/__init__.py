"""How far a new server has come, and a group to try it with."""
