"""The desk's day, in its pages."""
