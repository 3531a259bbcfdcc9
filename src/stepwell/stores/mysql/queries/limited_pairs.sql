-- The pairs of limit and rate key that have rows waiting, of each name: from one to the next
-- by the index, so that the rows behind the first are not read.
WITH RECURSIVE lane (name, pair, place) AS (
    SELECT names.name, (
        SELECT limited_pair
        FROM stepwell_ready FORCE INDEX (stepwell_ready_pairs)
        WHERE limited_name = names.name AND limited_pair > %(beyond)s
        ORDER BY limited_pair
        LIMIT 1
    ), 1
    FROM JSON_TABLE(%(names_json)s, '$[*]' COLUMNS (name VARCHAR(200) PATH '$')) AS names
    UNION ALL
    SELECT lane.name, (
        SELECT limited_pair
        FROM stepwell_ready FORCE INDEX (stepwell_ready_pairs)
        WHERE limited_name = lane.name AND limited_pair > lane.pair
        ORDER BY limited_pair
        LIMIT 1
    ), lane.place + 1
    FROM lane
    WHERE lane.pair IS NOT NULL AND lane.place < %(most)s
)
SELECT name, pair FROM lane WHERE pair IS NOT NULL ORDER BY pair, name LIMIT %(most)s
