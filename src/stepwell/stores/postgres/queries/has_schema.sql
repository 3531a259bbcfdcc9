SELECT to_regclass('stepwell_meta') IS NOT NULL
