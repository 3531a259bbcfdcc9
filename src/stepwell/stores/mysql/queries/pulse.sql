SELECT UTC_TIMESTAMP(6), id, beat FROM (SELECT 1) AS one LEFT JOIN stepwell_engines ON TRUE
