"""What the product costs on top of PostgreSQL: `python -m bench` (docs/performance.md says what is measured)."""
