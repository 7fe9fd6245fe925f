"""Whether a drill lost anything: what was acknowledged, all books compared, and what is kept of a failure."""
