-- One row for many criteria: a lock that ends with the transaction, whoever commits it (R9).
SELECT value FROM stepwell_meta WHERE `key` = %(key)s FOR UPDATE
