"""Parts of the open protocol's adapter: its calls and what their answers mean, consultations and escorts."""
