SELECT `key` FROM stepwell_controls WHERE kind = 'pause' ORDER BY `key`
