"""Whether the customer came: no-shows and the disputes about them."""
