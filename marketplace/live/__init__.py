"""The process that delivers server-sent events, and nothing else."""
