"""Bulk imports at the console: upload, what would come of it, progress, refused lines."""
