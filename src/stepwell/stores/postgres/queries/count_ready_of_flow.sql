SELECT count(*) FROM (
    SELECT FROM stepwell_ready WHERE flow_id = %(flow_id)s::uuid LIMIT %(most)s::bigint
) AS found
