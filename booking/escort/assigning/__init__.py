"""How a worker is asked and how that ends: under the lock of her row, with the way from one service to the next."""
