-- The locked rows whose name is handled, in fair order; those up to the limit are taken.
, ranked AS MATERIALIZED (
    SELECT virtual.*, row_number() OVER (ORDER BY virtual.time, virtual.priority) AS place
    FROM (
        SELECT locked.*, (row_number() OVER (
            PARTITION BY locked.priority ORDER BY locked.schedule_time, locked.id
        ) - band.skew) / band.weight AS time
        FROM locked JOIN band USING (priority)
        WHERE locked.name = ANY(%(names)s::text[])
    ) AS virtual
)
