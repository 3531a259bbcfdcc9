-- What adding calls the values, wherever they come from.
) AS step ({columns})
