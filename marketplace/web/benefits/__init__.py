"""What she has: benefits and what was used of them."""
