"""When workflows run: schedules, their ledger, backfills and calendars."""
