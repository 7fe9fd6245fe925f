"""Reports: reading, trends, comparison, papers, sharing."""
