-- Goes on with the last condition of what comes before: what is settled, or asked for.
        AND EXISTS (SELECT FROM alive)
