"""The parts of the embedded PostgreSQL: its programs, one server, and the guard that ends it. database.py decides when."""
