"""What is pulled from a provider: where each feed goes on, and its rows that could not be read or applied."""
