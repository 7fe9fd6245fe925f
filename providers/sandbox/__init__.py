"""A provider's own server: own process, own ledger, faults to switch on. Imports nothing of the marketplace."""
