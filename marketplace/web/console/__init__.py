"""The operators' console: overview, desk, differences, statements, closures."""
