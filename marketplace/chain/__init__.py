"""The lines of audit and ledger, sealed into a hash chain after they were written, and the chain's verification."""
