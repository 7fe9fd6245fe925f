"""Reconciliation: comparing our books with a provider's, and repairing the discrepancies."""
