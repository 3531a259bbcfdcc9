SELECT stepwell_make_partitions(%(months)s)
