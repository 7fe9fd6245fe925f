"""The console's pages with invented content."""
