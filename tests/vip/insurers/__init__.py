"""What insurers' own systems do."""
