"""What the schemas of several benefit kinds are made of."""
