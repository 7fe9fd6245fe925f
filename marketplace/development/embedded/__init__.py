"""The parts of the embedded PostgreSQL: programs, one server, the guard that ends it. database.py decides when."""
