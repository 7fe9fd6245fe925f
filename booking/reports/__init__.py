"""Reports: fetching, reading, keeping, showing, sharing, exporting and deleting them."""
