-- In the form for several tables, for the other one takes no hint; and without it a small
-- table is read as a whole, and waits for rows that are none of its business.
DELETE step FROM stepwell_ready AS step FORCE INDEX (PRIMARY) WHERE step.id IN %(ids)s
