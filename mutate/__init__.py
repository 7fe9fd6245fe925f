"""Small mistakes made on purpose in the heart of booking, to see whether a test fails (`make mutate`)."""
