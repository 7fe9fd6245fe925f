"""The words of notices in general, by subject; `every` has them all. A kind of benefit may have its own."""
