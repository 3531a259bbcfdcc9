SELECT made, dropped, removed FROM stepwell_sweep(%(expiries)s::json, %(limit)s)
