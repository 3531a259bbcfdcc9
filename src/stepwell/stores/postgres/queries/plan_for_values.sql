-- What a search looks for is rare or common: one plan for all values would be wrong for some.
SELECT
    set_config('plan_cache_mode', 'force_custom_plan', true),
    set_config('enable_seqscan', 'on', true),
    set_config('enable_bitmapscan', 'on', true)
