"""A customer and her family: who they are, how they are reached, what they agreed to."""
