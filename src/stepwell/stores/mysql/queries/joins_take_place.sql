-- Once: the failed row gives its place away, if the join still waits for a copy of it (R28).
UPDATE stepwell_failed SET join_id = NULL
WHERE id = %(source)s AND join_id = %(join)s
    AND EXISTS (
        SELECT 1 FROM stepwell_ready AS waiting
        WHERE waiting.id = %(join)s AND waiting.waiting_for > 0 AND waiting.join_policy = 'wait'
    )
