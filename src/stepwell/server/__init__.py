"""The platform: one room per noun, and every room has the same furniture.

records.py (what things are) . queries.py (SQL) . service.py (verbs and rules) .
api.py (thin routes) . steps.py (background work); a room has those it needs.
A room imports another room's `service` only.
"""
