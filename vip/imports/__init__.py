"""Bulk imports: a file is read, tried line by line, and done when an operator says so, each line exactly once."""
