"""The worker process: its jobs, its clock, and a lane for each provider."""
