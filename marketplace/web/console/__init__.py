"""The operators' console: overview, desk, discrepancies, statements, closures."""
