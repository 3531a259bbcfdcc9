-- What comes claimed by an engine that was declared dead is left out; one that lives is not
-- declared dead before the commit (R11).
WHERE claimed_by IS NULL OR EXISTS (
    SELECT FROM stepwell_engines AS engine WHERE engine.id = step.claimed_by FOR KEY SHARE
)
