"""Who asks: one-time codes, limits of tries, sessions."""
