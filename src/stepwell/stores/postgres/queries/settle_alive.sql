-- Nothing is settled in the name of an engine that was declared dead, and one that lives is not
-- declared dead before the commit (R11): what is spawned comes claimed by it.
WITH alive AS MATERIALIZED (
    SELECT id FROM stepwell_engines WHERE id = %(alive)s FOR KEY SHARE
),
