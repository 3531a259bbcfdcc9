-- Ready rows by their ids, and how many others their flows have.
SELECT
    (
        SELECT count(*) FROM (
            SELECT FROM stepwell_ready AS other
            WHERE other.flow_id = step.flow_id
            LIMIT %(most)s::bigint
        ) AS found
    ) AS in_flow,
    {columns}
FROM stepwell_ready AS step
WHERE step.id = ANY(%(ids)s::uuid[])
