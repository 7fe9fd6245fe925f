"""What a customer may use, and the ledger that says what became of it."""
