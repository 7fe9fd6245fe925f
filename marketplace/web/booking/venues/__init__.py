"""Where somebody is sent: the place is chosen, then who comes, and what they need to know."""
