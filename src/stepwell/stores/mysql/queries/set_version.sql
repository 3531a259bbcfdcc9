INSERT INTO stepwell_meta (`key`, value) VALUES ('schema_version', %(version)s)
ON DUPLICATE KEY UPDATE value = %(version)s
