-- The row is written anew from a few changes: json_populate_record keeps the rest.
WITH gone AS (
    DELETE FROM stepwell_ready AS step WHERE id = ANY(%(ids)s) RETURNING step.*
), over AS MATERIALIZED (
    SELECT ended.*
    FROM gone
    CROSS JOIN LATERAL json_populate_record(
        ROW(gone.*)::stepwell_ready,
        json_build_object(
            'ended_at', statement_timestamp(),
            'ended_as', %(ended_as)s::text,
            'description', %(reason)s::text,
            'result', %(result)s::text,
            'claimed_by', NULL,
            'claim_request', NULL,
            'claimed_at', NULL,
            'started', false,
            'claim_no', gone.claim_no + %(raised)s::integer
        )
    ) AS ended
), done AS (
    INSERT INTO stepwell_done SELECT * FROM over WHERE ended_as IN ('done', 'skipped')
), failed AS (
    INSERT INTO stepwell_failed SELECT * FROM over WHERE ended_as IN ('failed', 'cancelled')
)
SELECT id, join_id, name FROM over
