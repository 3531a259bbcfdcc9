"""Whether the ledger accounts for every due instant (R30)."""
