SELECT pg_notify('stepwell_wake', '')
