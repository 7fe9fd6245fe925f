"""Our books against the providers': discrepancies, comparisons, closing statements."""
