"""What development and tests run on: embedded PostgreSQL, processes and their supervisor."""
