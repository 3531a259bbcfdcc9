SELECT pg_advisory_xact_lock(hashtextextended(%(criteria)s, 0))
