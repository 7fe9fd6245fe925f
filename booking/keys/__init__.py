"""Keys: what is sealed and indexed under which one, and moving it to the current ones."""
