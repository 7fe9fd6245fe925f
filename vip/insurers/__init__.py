"""What insurers' own systems do here: tell policies, in bulk and in snapshots, and bring customers of their apps."""
