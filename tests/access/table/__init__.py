"""The table: one line a route and method, a file a door."""
