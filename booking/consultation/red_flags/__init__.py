"""Red flags: the signs of an emergency in what a customer writes, found before any queue."""
