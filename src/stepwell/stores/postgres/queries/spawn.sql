-- What the settled steps have spawned, in the same statement: rows of those that were not settled
-- are left out (R12). That an id is there already is an error here, for nobody has made it before.
, added AS (
