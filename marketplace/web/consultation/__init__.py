"""A consultation: beginning one, and its conversation."""
