DELETE ended FROM stepwell_failed AS ended FORCE INDEX (PRIMARY) WHERE ended.id IN %(ids)s
