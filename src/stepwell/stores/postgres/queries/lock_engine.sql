-- Shared: the engine's own bursts do not wait for each other, a burial waits for them (R11).
SELECT id FROM stepwell_engines WHERE id = %(engine_id)s FOR KEY SHARE
