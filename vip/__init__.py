"""VIP customers: sign-in, family, plans, entitlements and their ledger."""
