"""Finding a place: for whom, where, and which package."""
