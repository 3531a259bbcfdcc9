-- No ON DUPLICATE KEY and no IGNORE: which row was inserted must be known, and IGNORE would
-- cut what is too long. A duplicate takes back the statement, not the transaction.
INSERT INTO stepwell_ready ({columns}) VALUES (
    %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
    %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
    %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s
)
