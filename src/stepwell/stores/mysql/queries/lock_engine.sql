-- Shared: the engine's own claims do not wait for each other, a burial waits for them (R11).
SELECT 1 FROM stepwell_engines WHERE id = %(engine)s LOCK IN SHARE MODE
