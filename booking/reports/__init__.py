"""Reports: fetching, reading, storing, showing, sharing, exporting and deleting them."""
