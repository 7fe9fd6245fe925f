"""A provider connects its own system at its desk: values are tried by the worker, and written once they passed."""
