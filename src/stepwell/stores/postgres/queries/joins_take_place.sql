-- Once: the failed row gives its place to the copy, if the join still waits for one (R28).
-- Otherwise the copy is no member.
WITH given AS (
    UPDATE stepwell_failed SET join_id = NULL
    WHERE id = %(source)s AND join_id = %(join)s
        AND EXISTS (
            SELECT 1 FROM stepwell_ready AS waiting
            WHERE waiting.id = %(join)s
                AND waiting.waiting_for > 0 AND waiting.join_policy = 'wait'
        )
    RETURNING id
)
UPDATE stepwell_ready SET join_id = NULL
WHERE id = %(copy)s AND NOT EXISTS (SELECT 1 FROM given)
