SELECT stepwell_make_partitions()
