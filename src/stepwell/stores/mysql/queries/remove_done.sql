DELETE ended FROM stepwell_done AS ended FORCE INDEX (PRIMARY) WHERE ended.id IN %(ids)s
